//! What packages ship beside the binary, which the binary makes.

use std::process::Command;

use super::Ground;

/// Every command that people see, as `dregs --help` lists them.
fn commands(ground: &Ground) -> Vec<String> {
    let help = ground.run(&["--help"], &[]).stdout;
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_flags() {
    let ground = Ground::new();
    let script = ground.run(&["completions", "bash"], &[]);
    assert_eq!((script.code, script.stderr.as_str()), (Some(0), ""));
    ground.write("dregs.bash", &script.stdout);
    // What bash itself does at the tabulator: the command, the word and the one before it are arguments.
    let completed = |words: &[&str]| {
        let [.., before, word] = words else { unreachable!("a command and a word") };
        let line = format!(
            "source dregs.bash; COMP_WORDS=({}); COMP_CWORD={}; _dregs dregs {word} {before}; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len() - 1
        );
        let done = Command::new("bash").args(["-c", &line]).current_dir(ground.0.path()).output().unwrap();
        String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completed(&["dregs", "ser"]), ["serve"]);
    assert_eq!(completed(&["dregs", "serve", "--data-"]), ["--data-dir"]);
    assert_eq!(completed(&["dregs", "completions", "fi"]), ["fish"]);
}

#[test]
fn every_shell_is_told_of_every_command() {
    let ground = Ground::new();
    let commands = commands(&ground);
    assert!(commands.contains(&"serve".to_owned()), "{commands:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = ground.run(&["completions", shell], &[]).stdout;
        for command in &commands {
            assert!(script.contains(command), "{shell} is not told of {command}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let ground = Ground::new();
    let done = ground.run(&["man", "share/man1"], &[]);
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (Some(0), "", ""));
    let page = |name: &str| {
        std::fs::read_to_string(ground.0.path().join("share/man1").join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    for command in commands(&ground) {
        assert!(page(&format!("dregs-{command}.1")).contains(".SH SYNOPSIS"), "{command}");
    }
    assert!(page("dregs.1").contains("dregs\\-serve(1)"));
    // Spaces at its beginning keep an example on a line of its own.
    assert!(page("dregs-config.1").contains("DREGS_DEADLINE_MS"), "{}", page("dregs-config.1"));
    assert!(page("dregs-serve.1").contains("\n  dregs serve \\-\\-listen"), "{}", page("dregs-serve.1"));

    ground.write("file", "");
    let refused = ground.run(&["man", "file/man1"], &[]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.starts_with("dregs: cannot write manual pages to file/man1: "),
        "{}",
        refused.stderr
    );
}
