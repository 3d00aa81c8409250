use std::time::Duration;

use super::{Ground, free_port};

#[test]
fn health_is_0_while_the_server_takes_writes_and_1_when_it_does_not() {
    let ground = Ground::new();
    let address = format!("127.0.0.1:{}", free_port());
    let server = format!("http://{address}");
    // As a container names it, and as people do.
    let asked = |args: &[&str], variables: &[(&str, &str)]| {
        let done = ground.run(&[&["health"], args].concat(), variables);
        (done.code, done.stdout, done.stderr)
    };
    let there = (Some(0), "ready\n".to_owned(), String::new());

    let serving = ground.start(&["serve", "--listen", &address], &[]);
    serving.line_with("listens on");
    assert_eq!(asked(&["--server", &server], &[]), there);
    assert_eq!(asked(&[], &[("DREGS_BASE_URL", &server)]), there);

    // A server whose database is gone says so, once it has looked again.
    std::fs::rename(ground.0.path().join("data"), ground.0.path().join("moved")).unwrap();
    let mut answers = (0..100).map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        asked(&["--server", &server], &[])
    });
    let (code, stdout, stderr) = answers.find(|answer| *answer != there).unwrap();
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.starts_with(&format!("dregs: {server}: not ready: the database ")), "{stderr}");

    drop(serving);
    let (code, _, stderr) = asked(&["--server", &server], &[]);
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with(&format!("dregs: there is no server at {server} (")), "{stderr}");
}
