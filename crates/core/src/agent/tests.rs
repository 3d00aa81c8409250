use super::*;
use crate::time::Timestamp;

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

#[test]
fn knows_what_is_behind_a_user_agent() {
    let cases = [
        (CHROME, Kind::Browser),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            Kind::Browser,
        ),
        (
            "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
            Kind::Browser,
        ),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Kind::Browser),
        ("Nokia6300/2.0 (05.00) Profile/MIDP-2.0 Configuration/CLDC-1.1", Kind::App),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.0.0 Safari/537.36",
            Kind::Automation,
        ),
        (
            "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
            Kind::Automation,
        ),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Kind::Crawler),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", Kind::Crawler),
        ("SomethingBot/1.0 (+https://example.com)", Kind::Crawler),
        ("python-requests/2.32.3", Kind::HttpLibrary),
        ("curl/8.5.0", Kind::HttpLibrary),
        ("Go-http-client/2.0", Kind::HttpLibrary),
        ("axios/1.7.2", Kind::HttpLibrary),
        ("Scrapy/2.11.2 (+https://scrapy.org)", Kind::HttpLibrary),
        ("okhttp/4.12.0", Kind::AppLibrary),
        ("MyApp/3 CFNetwork/1496.0.7 Darwin/23.5.0", Kind::AppLibrary),
        ("Mozilla/5.0", Kind::Fragment),
        ("something else", Kind::Unknown),
        ("Acme/3 (iPhone; iOS 19.1)", Kind::App),
    ];
    for (agent, expected) in cases {
        assert_eq!(kind(agent).0, expected, "{agent}");
    }
}

#[test]
fn knows_good_crawlers_by_name_and_network() {
    let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    assert_eq!(good_crawler(google, None), Some(("Googlebot", None)));
    assert_eq!(good_crawler(google, Some(15_169)), Some(("Googlebot", Some(true))));
    assert_eq!(good_crawler(google, Some(24_940)), Some(("Googlebot", Some(false))));
    assert_eq!(good_crawler(CHROME, Some(15_169)), None);
}

#[test]
fn sees_what_no_browser_says() {
    let cases = [
        (CHROME, false),
        ("Mozilla/5.0 (Windows NT 10.0; Macintosh; Intel Mac OS X 10_15) Chrome/126.0.0.0", true),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0.0.0 Firefox/128.0", true),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-A536B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36 (iPhone; Macintosh; Windows NT)",
            false,
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0 Chrome/126.0.0.0", true),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
            true,
        ),
    ];
    for (agent, is_odd) in cases {
        assert_eq!(contradiction(agent).is_some(), is_odd, "{agent}");
    }
}

#[test]
fn browsers_age() {
    let at = Timestamp::parse("2024-06-11T00:00:00Z").unwrap();
    let years = age_years(CHROME, at).unwrap();
    assert!(years.abs() < 0.1, "Chrome 126 came out on 2024-06-11: {years}");
    assert!(age_years(&CHROME.replace("126", "80"), at).unwrap() > 3.0);
    assert!(age_years(&CHROME.replace("126", "180"), at).unwrap() < -1.0);
    assert_eq!(age_years("curl/8", at), None);
}

#[test]
fn every_known_agent_is_known_by_its_name_and_is_what_it_comes_for() {
    for known in agents() {
        let name = &known.name;
        let introduced = format!(
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; {name}/1.0; +https://example.com)"
        );
        for agent in [&format!("{name}/1.0"), &introduced] {
            assert_eq!(known_agent(agent), Some(known), "{agent}");
        }
        let expected = if known.purpose.is_for_a_person() { Kind::Agent } else { Kind::Crawler };
        assert_eq!(kind(&introduced).0, expected, "{introduced}");
    }
    assert_eq!(agents().len(), 151);
}
