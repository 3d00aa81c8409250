use super::*;
use serde_json::json;

const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/149.0.0.0 Safari/537.36";
const ANDROID: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/149.0.0.0 Mobile Safari/537.36";

const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                   Version/18.5 Safari/605.1.15";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
                      Gecko) CriOS/137.0.7151.79 Mobile/15E148 Safari/604.1";
const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

fn of(components: Value, agent: &str) -> Vec<Sign> {
    let Value::Object(components) = components else { panic!("no object") };
    signs(&components, Some(agent)).iter().collect()
}

#[test]
fn ordinary_devices_give_nothing_away() {
    let touch = |points: u8| {
        let has = points > 0;
        format!(r#"{{"maxTouchPoints":{points},"touchEvent":{has},"touchStart":{has}}}"#)
    };
    let windows = json!({
        "webdriver": false, "automation": [], "tampered": [], "userAgent": WINDOWS, "platform": "Win32",
        "languages": ["de-DE"], "plugins": 5, "vendor": "Google Inc.", "deviceMemory": 8, "hardwareConcurrency": 16,
        "screenWidth": 1536, "screenHeight": 864, "screenResolution": "[864,1536]",
        "webglRenderer": "ANGLE (Intel, Intel(R) UHD Graphics (0x00009A60) Direct3D11 vs_5_0 ps_5_0, D3D11)",
        "maxTouchPoints": 10, "touchSupport": touch(10), "canvas": "0f8a6f4c1d5e9b7a0f8a6f4c1d5e9b7a",
    });
    let android = json!({
        "platform": "Linux armv81", "plugins": 0, "vendor": "Google Inc.", "deviceMemory": 4, "hardwareConcurrency": 8,
        "screenWidth": 412, "screenHeight": 915, "screenResolution": "[915,412]", "languages": ["en-US"],
        "webglRenderer": "ANGLE (Qualcomm, Adreno (TM) 730, OpenGL ES 3.2)", "maxTouchPoints": 5,
        "touchSupport": touch(5),
    });
    let skipped = r#"{"winding":true,"geometry":"skipped","text":"skipped"}"#;
    let mac = json!({
        "platform": "MacIntel", "vendor": "Apple Computer, Inc.", "hardwareConcurrency": 8, "plugins": 5,
        "webglRenderer": "Apple GPU", "maxTouchPoints": 0, "touchSupport": touch(0), "canvas": skipped,
        "screenWidth": 1728, "screenHeight": 1117,
    });
    let iphone = json!({
        "platform": "iPhone", "vendor": "Apple Computer, Inc.", "hardwareConcurrency": 4, "maxTouchPoints": 5,
        "webglRenderer": "Apple GPU", "touchSupport": touch(5), "screenWidth": 393, "screenHeight": 852,
        "screenResolution": "[852,393]", "canvas": skipped,
    });
    let linux = json!({
        "platform": "Linux x86_64", "vendor": "", "hardwareConcurrency": 24, "screenWidth": 2560.5, "screenHeight": 1440,
        "screenResolution": "[2560,1440]", "webglRenderer": "Apple M1, or similar", "maxTouchPoints": 0,
    });
    for (device, agent) in
        [(windows, WINDOWS), (android, ANDROID), (mac, MAC), (iphone, IPHONE), (linux, LINUX)]
    {
        assert_eq!(of(device, agent), [], "{agent}");
    }
    assert_eq!(of(json!({"canvas": "x"}), WINDOWS), []);
}

#[test]
fn each_sign_is_seen() {
    let cases = [
        (json!({"webdriver": true}), WINDOWS, Sign::Webdriver),
        (json!({"automation": ["cdc_adoQ"]}), WINDOWS, Sign::AutomationObjects),
        (json!({"userAgent": ANDROID}), WINDOWS, Sign::OtherAgent),
        (json!({"platform": "Linux x86_64"}), WINDOWS, Sign::OtherPlatform),
        (json!({"languages": []}), WINDOWS, Sign::NoLanguages),
        (json!({"outerHeight": 0}), WINDOWS, Sign::NoScreen),
        (json!({"webglRenderer": "Google SwiftShader"}), WINDOWS, Sign::SoftwareGraphics),
        (json!({"plugins": 0}), WINDOWS, Sign::NoPlugins),
        (json!({"maxTouchPoints": 0}), ANDROID, Sign::NoTouch),
        (
            json!({"screenResolution": "[1920,1080]", "screenWidth": 1366, "screenHeight": 768}),
            WINDOWS,
            Sign::OtherScreen,
        ),
        (json!({"touchSupport": r#"{"maxTouchPoints":5}"#, "maxTouchPoints": 0}), WINDOWS, Sign::OtherTouch),
        (json!({"vendor": "Apple Computer, Inc."}), WINDOWS, Sign::OtherVendor),
        (json!({"webglRenderer": "ANGLE (Apple, Apple M1, OpenGL 4.1)"}), WINDOWS, Sign::OtherGraphics),
        (json!({"deviceMemory": 6}), WINDOWS, Sign::OddNumbers),
        (json!({"tampered": ["navigator.webdriver"]}), WINDOWS, Sign::Disguise),
        (json!({"tampered": ["canvas"]}), WINDOWS, Sign::Veil),
    ];
    let seen: Vec<_> = cases.iter().map(|(_, _, sign)| *sign).chain([Sign::OtherDevice]).collect();
    assert_eq!(seen, Sign::ALL);
    for (components, agent, sign) in cases {
        assert_eq!(of(components, agent), [sign]);
    }
}

#[test]
fn each_engine_has_its_vendor_and_each_system_its_graphics() {
    for (vendor, agent) in [("", MAC), ("", WINDOWS), ("Google Inc.", LINUX), ("Google Inc.", IPHONE)] {
        assert_eq!(of(json!({ "vendor": vendor }), agent), [Sign::OtherVendor], "{agent}");
    }
    let direct3d = json!({"webglRenderer": "ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11)"});
    for agent in [MAC, LINUX, ANDROID, IPHONE] {
        assert_eq!(of(direct3d.clone(), agent), [Sign::OtherGraphics], "{agent}");
    }
    assert_eq!(of(json!({"webglRenderer": "Apple GPU"}), ANDROID), [Sign::OtherGraphics]);
}

#[test]
fn numbers_are_odd_that_no_browser_tells() {
    for odd in
        [json!({"deviceMemory": 64}), json!({"hardwareConcurrency": 0}), json!({"hardwareConcurrency": 2.5})]
    {
        assert_eq!(of(odd.clone(), WINDOWS), [Sign::OddNumbers], "{odd}");
    }
    let noisy = json!({"canvas": r#"{"winding":true,"geometry":"unstable","text":"unstable"}"#});
    assert_eq!(of(noisy, WINDOWS), [Sign::Veil]);
}

#[test]
fn what_was_seen_gives_way_to_what_came_since() {
    let odd = Signs::from_iter([Sign::Webdriver]);
    let after = |odd_reports: u32, clean_reports: u32| {
        let mut counts = SignCounts::default();
        (0..odd_reports).for_each(|_| counts.add(odd));
        (0..clean_reports).for_each(|_| counts.add(Signs::default()));
        counts.parts().collect::<Vec<_>>()
    };
    let cases = [
        ((0, 3), vec![]),
        ((1, 0), vec![(Sign::Webdriver, 1.0)]),
        ((1, 3), vec![(Sign::Webdriver, 0.25)]),
        ((1, 64), vec![]),
        ((500, 0), vec![(Sign::Webdriver, 1.0)]),
        ((500, 300), vec![]),
    ];
    for ((odd_reports, clean_reports), parts) in cases {
        assert_eq!(after(odd_reports, clean_reports), parts, "{odd_reports}, then {clean_reports}");
    }
}
