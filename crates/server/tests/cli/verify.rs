use dregs_core::time::Timestamp;

use super::{Done, Ground, Webhook};

const SENT_AT: Timestamp = Timestamp::from_millis(1_795_426_200_000);
const NOW: &str = "2026-11-23T09:30:07Z";

/// Calls `dregs verify` on a webhook of [`SENT_AT`].
fn verify(body: &str, secret: &str, now: &str) -> Done {
    let ground = Ground::new();
    let headers = Webhook::at(SENT_AT).headers;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    ground.write("headers", format!("POST / HTTP/1.1\r\n{headers}\r\n"));
    ground.write("body", body);
    ground.run(&["verify", "--secret", secret, "--headers", "headers", "--body", "body", "--now", now], &[])
}

/// The lines of the steps that failed.
fn failed(done: &Done) -> Vec<&str> {
    done.stdout.lines().filter(|line| line.starts_with('✗')).collect()
}

#[test]
fn a_genuine_webhook_passes_every_step() {
    let webhook = Webhook::at(SENT_AT);
    let done = verify(&webhook.body, webhook.secret.as_text(), NOW);
    let expected = "\
✓ headers            both signature families are there
✓ secret             whsec_ and 32 bytes in base64
✓ x-dregs-signature  matches the body
✓ body               JSON, event IDENTITY_SCORED
✓ body timestamp     7 s old
✓ webhook-id         evt_1, the same on every attempt: drop what you have seen
✓ webhook-timestamp  7 s old
✓ webhook-signature  one of 1 matches webhook-id.webhook-timestamp.body

genuine
";
    assert_eq!(done, Done { code: Some(0), stdout: expected.to_owned(), stderr: String::new() });
}

#[test]
fn what_is_not_genuine_fails_at_the_step_that_shows_it() {
    let Webhook { secret, body, .. } = Webhook::at(SENT_AT);
    let secret = secret.as_text();
    let other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let tampered = body.replace("\"humanity\":12", "\"humanity\":99");
    let no_match = "does not match: the secret is another channel's or an older one, or the body is not the bytes \
                    that were sent";
    let stale = "301 s old, more than the 300 s that are tolerated: a replay, or a clock that is wrong";
    let cases = [
        (tampered.as_str(), secret, NOW, ["x-dregs-signature", "webhook-signature"], no_match),
        (&body, other, NOW, ["x-dregs-signature", "webhook-signature"], no_match),
        (&body, secret, "2026-11-23T09:35:01Z", ["body timestamp", "webhook-timestamp"], stale),
    ];
    for (body, secret, now, steps, why) in cases {
        let done = verify(body, secret, now);
        let expected = steps.map(|step| format!("✗ {step:17}  {why}"));
        assert_eq!((done.code, failed(&done)), (Some(1), expected.iter().map(String::as_str).collect()));
        assert!(done.stdout.ends_with("\n\nnot to be trusted: the first ✗ says why\n"), "{}", done.stdout);
    }
}

#[test]
fn headers_can_be_flags_and_the_tolerance_can_be_wider() {
    let ground = Ground::new();
    let webhook = Webhook::at(SENT_AT);
    ground.write("body", &webhook.body);
    let signature = format!("X-Dregs-Signature: {}", webhook.headers[0].1);
    let later = "2026-11-24T09:30:00Z";
    let args = ["verify", "--body", "body", "--header", &signature, "--now", later, "--tolerance", "86400"];
    let done = ground.run(&args, &[("DREGS_WEBHOOK_SECRET", webhook.secret.as_text())]);
    assert_eq!((done.code, failed(&done)), (Some(0), vec![]), "{}", done.stdout);
}
