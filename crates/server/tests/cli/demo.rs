use super::Ground;

#[test]
fn a_stranger_sees_scores_fall_with_the_reason_and_refused_webhooks_arrive_after_all() {
    let ground = Ground::new();
    let mut demo = ground.start(&["demo", "--listen", "127.0.0.1:0", "--keep", "kept"], &[]);
    let listening = demo.line_with("A server at http://");
    let address = listening.trim_start_matches("A server at http://").split(',').next().unwrap().to_owned();
    let question = demo.line_with("/api/identities/ring-1/analysis").trim().to_owned();
    let fall = demo.line_with("✓ ring-1          uniqueness ");
    let reason = "accounts appeared on this device within";
    assert!(fall.contains(" -> ") && fall.contains(reason), "{fall}");
    let answer = std::process::Command::new("sh").args(["-c", &question]).output().unwrap();
    let answer = String::from_utf8(answer.stdout).unwrap();
    assert!(answer.contains("\"identityId\":\"ring-1\"") && answer.contains(reason), "{question}: {answer}");
    demo.line_with("at the second attempt");

    assert_eq!(demo.stop_with("INT"), (Some(0), String::new()));
    demo.line_with("Lowest scores:");
    let lowest = demo.line_with("ring-");
    assert!(lowest.trim_start().starts_with("uniqueness"), "{lowest}");
    demo.line_with("Try next:");
    let serve = demo.line_with("dregs serve --data-dir kept");
    assert!(serve.ends_with(&format!(" --listen {address}")), "{serve}");
    assert_eq!(demo.line_with("curl").trim(), question);

    let mut again =
        ground.start(&["demo", "--listen", "127.0.0.1:0", "--keep", "kept", "--seconds", "1"], &[]);
    again.line_with("Try next:");
    assert_eq!(again.child.wait().unwrap().code(), Some(0));
}
