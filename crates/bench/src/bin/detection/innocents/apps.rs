//! People who use the customer's app, whatever it calls itself.

use super::cast::innocent;
use super::scenario::Scenario;
use crate::stage::{BEGIN, DAY, HOUR, Stage};

/// Names of apps, as their makers write them.
const OWN: [&str; 16] = [
    "MyApp/3.2",
    "AcmeShop",
    "com.acme.shop/5.1.0",
    "AcmeShop/812 CFNetwork/3826.500.131 Darwin/24.5.0",
    "FoodNow/9.4.1 (iPad; iOS 19.2; Scale/2.00)",
    "Acme Desktop/2.1.0 (Windows NT 10.0; x64)",
    "acme-pos/4.0",
    "Kasse 7.2",
    "Überweiser/1.4",
    "SmartHome Hub v2.3",
    "acme-tv/1.9 (Tizen 8.0)",
    "AcmeShop/3.0 okhttp/5.1.0",
    "Acme Watch/1.2 (Watch7,5; watchOS 12.0)",
    "acme_courier_android-4.8.1-release",
    "Acme/1.0 (Cronet/142)",
    "com.acme.reader/33 (Linux; U; Android 14; en_IN; M2101K6P; Build/UKQ1)",
];
/// Libraries that apps are made with, under their own names.
const LIBRARIES: [&str; 16] = [
    "Cronet/142.0.7444.59",
    "ktor-client",
    "Ktor client",
    "ReactNative/0.76",
    "okhttp/4.12.0",
    "okhttp/5.1.0",
    "Dart/3.9 (dart:io)",
    "UnityPlayer/2022.3.62f1 (UnityWebRequest/1.0, libcurl/8.10.1-DEV)",
    "Alamofire/5.10.2",
    "Expo/1017756 CFNetwork/3826.500.131 Darwin/24.5.0",
    "Volley/1.2.1",
    "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9 Build/AP4A.250105.002)",
    "NSURLSession",
    "Cordova/13.0.0 (Android 14)",
    "UnrealEngine/5.5.4",
    "GodotEngine/4.4.1.stable (iOS)",
];
/// Directories and the like, on behalf of people.
const DIRECTORIES: [&str; 6] = [
    "Okta-SCIM/1.0",
    "Microsoft Azure AD SCIM",
    "JumpCloud SCIM Client",
    "PingProvision/1.2",
    "WorkOS-Directory-Sync/1.0",
    "Auth0-Actions/1.0",
];
/// Names in which the names of crawlers and programs stand by chance.
const BY_CHANCE: [&str; 14] = [
    "Botanica/1.0 (Android 15)",
    "Abbott-App/4.1 (iPhone; iOS 19.1)",
    "InspectorGo/2.0 (iPhone; iOS 19.1)",
    "SpiderSolitaire/5.3 (iPhone; iOS 19.1)",
    "RobotVacuum/3.3 (Android 14)",
    "Talbots/11.2 (iPhone; iOS 18.6)",
    "Crawlspace/1.2 (Android 15)",
    "CurlyHair/2.2 (iPhone; iOS 19.0)",
    "JavaHouse/2.0 (iPhone; iOS 19.1)",
    "RubyTuesday/6.1 (Android 15)",
    "PhantomFit/1.8 (iPhone; iOS 19.1)",
    "HeadlessHorseman/1.0 (Android 15)",
    "MonitorMe/3.1 (Android 14)",
    "Scraperboard Art/2.4 (iPad; iPadOS 19.1)",
];
/// Browsers inside apps and on odd devices.
const BROWSERS: [&str; 13] = [
    "Mozilla/5.0 (Linux; Android 14; 22101316G Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) \
     Version/4.0 Chrome/148.0.0.0 Mobile Safari/537.36 Instagram 365.0.0.38.92 Android (34/14; 440dpi; 1080x2176; \
     Xiaomi/Redmi; 22101316G; ruby; mt6877; pt_BR; 684405555)",
    "Mozilla/5.0 (Linux; Android 5.1; FEVER Build/LMY47D; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 \
     Chrome/95.0.4638.74 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 \
     BOTIM/3.1.0",
    "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile \
     Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; Robot R1 Build/TP1A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
     Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22G86 \
     [FBAN/FBIOS;FBAV/520.0.0.38.101;FBBV/756351453;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/18.6;FBSS/3;FBCR/;\
     FBID/phone;FBLC/de_DE;FBOP/80]",
    "Mozilla/5.0 (Linux; Android 15; SM-S921B Build/AP3A.240905.015; wv) AppleWebKit/537.36 (KHTML, like Gecko) \
     Version/4.0 Chrome/141.0.7390.43 Mobile Safari/537.36 musical_ly_2024005030 JsSdk/1.0 NetType/WIFI \
     Channel/googleplay AppName/musical_ly app_version/40.5.3 ByteLocale/de-DE ByteFullLocale/de-DE Region/DE",
    "Mozilla/5.0 (Linux; Android 12; curtana Build/SKQ1.211019.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) \
     Version/4.0 Chrome/139.0.7258.143 Mobile Safari/537.36 MicroMessenger/8.0.61.2880(0x28003D33) WeChat/arm64",
    "Mozilla/5.0 (Linux; Android 9; SPIDER-X Build/PPR1; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 \
     Chrome/138.0.7204.179 Mobile Safari/537.36 Line/15.12.0/IAB",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) AcmeDesk/4.2.0 \
     Chrome/140.0.7339.133 Electron/38.1.2 Safari/537.36",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/7.0 \
     Chrome/138.0.7204.46 TV Safari/537.36",
    "Mozilla/5.0 (PlayStation; PlayStation 5/12.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 \
     Safari/605.1.15",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/4.0; http://bsalsa.com; SLCC2; .NET CLR 2.0.50727)",
];

/// What apps are called here, and which rows they are counted in.
const FAMILIES: [(&[&str], &str, &str); 5] = [
    (&OWN, "apps with names of their own, one event", "apps with names of their own, ordinary use"),
    (
        &LIBRARIES,
        "apps under the names of libraries, one event",
        "apps under the names of libraries, ordinary use",
    ),
    (
        &DIRECTORIES,
        "directories and identity providers, one event",
        "directories and identity providers, ordinary use",
    ),
    (
        &BY_CHANCE,
        "apps whose names contain bot, spider, java …, one event",
        "apps whose names contain bot, spider, java …, ordinary use",
    ),
    (
        &BROWSERS,
        "browsers in apps and on odd devices, one event",
        "browsers in apps and on odd devices, ordinary use",
    ),
];

pub fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (agents, one, ordinary) in FAMILIES {
        for agent in agents {
            let enter = |stage: &mut Stage, n| one_event(stage, one, n, agent);
            all.push(Scenario::new(one, &[1, 8], enter).variant(*agent));
            let enter = |stage: &mut Stage, n| ordinary_use(stage, ordinary, n, agent);
            all.push(Scenario::new(ordinary, &[1, 4], enter).variant(*agent));
        }
    }
    all
}

/// Half of them tell a device.
fn one_event(stage: &mut Stage, row: &'static str, people: usize, agent: &str) {
    for n in 0..people {
        let mut person = innocent(stage, row);
        person.agent = Some(agent.to_owned());
        if n % 2 == 0 {
            (person.device, person.session) = (None, None);
        }
        let at = BEGIN + DAY + stage.rng.i64(0..10 * HOUR);
        stage.act(&person, "signup", at);
    }
}

fn ordinary_use(stage: &mut Stage, row: &'static str, people: usize, agent: &str) {
    for _ in 0..people {
        let mut person = innocent(stage, row);
        person.agent = Some(agent.to_owned());
        let at = BEGIN + DAY + stage.rng.i64(0..10 * HOUR);
        stage.live(&mut person, at, 7);
    }
}
