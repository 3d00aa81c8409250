//! Words of user agents, all in lower case, and what they tell.

/// Software that drives browsers.
pub static AUTOMATION: Words = Words::new(&[
    "headless",
    "headlesschrome",
    "headlessfirefox",
    "phantomjs",
    "playwright",
    "puppeteer",
    "selenium",
    "slimerjs",
    "webdriver",
    "zombie.js",
]);

/// Likewise, by names that others have, too: in browsers of computers alone.
pub static AUTOMATION_OF_COMPUTERS: Words = Words::new(&["cypress", "nightmare"]);

/// Clients of programming languages and of the command line.
pub static CLIENTS: Words = Words::new(&[
    "aiohttp",
    "akka-http",
    "anyevent-http",
    "apache-cxf",
    "apache-httpasyncclient",
    "apache-httpclient",
    "apachebench",
    "armeria",
    "async-http-client",
    "asynchttp",
    "asynchttpclient",
    "attohttpc",
    "axios",
    "clj-http",
    "cohttp",
    "cpp-httplib",
    "cross-fetch",
    "curb-http",
    "curl",
    "faraday",
    "fasthttp",
    "flurl.http",
    "go-http-client",
    "go-resty",
    "google-http-java-client",
    "grpc-node",
    "guzzle",
    "guzzlehttp",
    "hackney",
    "http-kit",
    "http.jl",
    "http.rb",
    "http4k",
    "http4s",
    "http_request",
    "httparty",
    "httpclient",
    "httpful",
    "httpie",
    "httplib2",
    "httpoison",
    "httpunit",
    "httpurlconnection",
    "httpx",
    "isahc",
    "isomorphic-fetch",
    "jakarta commons-httpclient",
    "java-http-client",
    "jmeter",
    "jsoup",
    "k6",
    "laminas\\http\\client",
    "laminas_http_client",
    "libcurl",
    "libcurl-agent",
    "libsoup",
    "libwww-perl",
    "lua-resty-http",
    "luasocket",
    "lwp",
    "lwp-request",
    "lwp::simple",
    "mechanize",
    "msxml2.xmlhttp",
    "net::http",
    "node-fetch",
    "node-libcurl",
    "node-superagent",
    "pecl::http",
    "pekko-http",
    "php-curl-class",
    "php-requests",
    "postmanruntime",
    "pycurl",
    "python-httplib2",
    "python-httpx",
    "python-requests",
    "python-urllib",
    "rcurl",
    "reactor-netty",
    "reactornetty",
    "request-promise",
    "reqwest",
    "rest-client",
    "resteasy",
    "restsharp",
    "scrapy",
    "spray-can",
    "sttp",
    "superagent",
    "symfony-httpclient",
    "typhoeus",
    "undici",
    "unfetch",
    "unirest",
    "unirest-java",
    "ureq",
    "urllib",
    "urllib3",
    "vert.x-webclient",
    "wget",
    "windowspowershell",
    "winhttp",
    "wininet",
    "xmlhttprequest",
    "zend\\http\\client",
    "zend_http_client",
]);

/// Sites and services whose own programs call others, most often for the site's visitors, under these names.
pub static PLATFORMS: Words = Words::new(&[
    "appengine-google",
    "cakephp",
    "cfschttp",
    "coldfusion",
    "drupal",
    "google-apps-script",
    "joomla",
    "joomla!",
    "sfdc-callout",
    "urlfetchapp",
    "wordpress",
    "wordpress.com",
]);

/// Likewise, written so: other programs have these words for names.
pub const CLIENTS_AS_WRITTEN: [&str; 20] = [
    "artillery",
    "bent",
    "colly",
    "excon",
    "gatling",
    "git",
    "got",
    "hyper",
    "insomnia",
    "ky",
    "locust",
    "needle",
    "patron",
    "phin",
    "pip",
    "request",
    "requests",
    "treq",
    "wretch",
    "wrk",
];

/// Languages: the program that begins with one names nothing else. Behind another name it is what that is
/// written in.
pub static LANGUAGES: Words =
    Words::new(&["bun", "deno", "java", "node", "node.js", "perl", "php", "powershell", "python", "ruby"]);

/// Languages whose clients begin with their names: `python-requests`.
pub static LANGUAGES_OF_CLIENTS: Words = Words::new(&["lwp", "perl", "php", "python"]);

/// Networking libraries and engines of apps and games.
pub static APP_LIBRARIES: Words = Words::new(&[
    "adobeair",
    "afnetworking",
    "alamofire",
    "android-async-http",
    "applecoremedia",
    "avfoundation",
    "capacitor",
    "cfnetwork",
    "coil",
    "cordova",
    "cronet",
    "dalvik",
    "dart",
    "dio",
    "electron",
    "exoplayer",
    "exoplayerlib",
    "expo",
    "flutter",
    "frontboard",
    "gamemaker",
    "glide",
    "godotengine",
    "ionic",
    "kingfisher",
    "ktor",
    "ktor-client",
    "libhttp",
    "maui",
    "moya",
    "nativescript",
    "nsurlsession",
    "nuke",
    "okhttp",
    "picasso",
    "qt",
    "react-native",
    "reactnative",
    "retrofit",
    "sdwebimage",
    "tauri",
    "titanium",
    "unity",
    "unityplayer",
    "unitywebrequest",
    "unrealengine",
    "urlsession",
    "volley",
    "x-unrealengine-agent",
    "xamarin",
]);

/// What a program is that reports of people to others and visits nobody, and those that do it most.
pub static INTEGRATIONS: Words = Words::new(&[
    "amplitude",
    "auth0",
    "azuread",
    "bigcommerce",
    "braze",
    "chargebee",
    "clerk",
    "cognito",
    "connector",
    "entra",
    "eventbridge",
    "firebase",
    "hook",
    "hooks",
    "hookshot",
    "hubspot",
    "idp",
    "ifttt",
    "integration",
    "integrations",
    "integromat",
    "intercom",
    "ipn",
    "jumpcloud",
    "keycloak",
    "klaviyo",
    "mailgun",
    "mixpanel",
    "mparticle",
    "n8n",
    "okta",
    "onelogin",
    "paddle",
    "paypal",
    "pingfederate",
    "pingidentity",
    "pipedream",
    "provisioning",
    "recurly",
    "rudderstack",
    "salesforce",
    "saml",
    "scim",
    "sdk",
    "segment",
    "sendgrid",
    "shopify",
    "sso",
    "stripe",
    "supabase",
    "sync",
    "twilio",
    "twilioproxy",
    "webhook",
    "webhooks",
    "woocommerce",
    "workato",
    "workday",
    "workos",
    "zapier",
    "zendesk",
]);

/// What a program is that visits by itself, where it is the last word of its name.
pub const VISITORS: [&str; 6] = ["bot", "crawler", "robot", "scraper", "spider", "bots"];

/// Systems of phones, which stand in browsers' user agents, too.
static PHONES: Words = Words::new(&["android", "ios", "ipad", "ipados", "iphone", "ipod", "tvos", "watchos"]);

/// Other machines that people hold in their hands or have before them.
static DEVICES: Words = Words::new(&[
    "amigaos",
    "androidtv",
    "appletv",
    "bada",
    "beos",
    "blackberry",
    "brew",
    "cldc",
    "danger",
    "firetv",
    "harmonyos",
    "haiku",
    "hbbtv",
    "j2me",
    "kaios",
    "meego",
    "midp",
    "netcast",
    "nintendo",
    "nokia",
    "palmos",
    "palmsource",
    "playstation",
    "ps4",
    "ps5",
    "psp",
    "roku",
    "samsung",
    "series40",
    "series60",
    "smarttv",
    "symbian",
    "symbianos",
    "tizen",
    "viera",
    "visionos",
    "watch",
    "web0s",
    "webos",
    "xbox",
    "xboxone",
]);

/// Words of computers' systems.
static COMPUTERS: Words = Words::new(&[
    "cros",
    "darwin",
    "debian",
    "fedora",
    "freebsd",
    "linux",
    "mac",
    "macintosh",
    "macos",
    "ubuntu",
    "win32",
    "win64",
    "windows",
    "x11",
]);

/// What begins a development kit's name, and a browser's.
pub static KIT: Words = Words::new(&["sdk"]);
pub static BROWSER: Words = Words::new(&["browser"]);

/// Some words, of which most others are told by their first letter and length.
pub struct Words {
    words: &'static [&'static str],
    /// For each first byte, a bit for each length.
    lengths: [u32; 256],
}

impl Words {
    /// Of words in lower case.
    pub const fn new(words: &'static [&'static str]) -> Self {
        let mut lengths = [0; 256];
        let mut index = 0;
        while index < words.len() {
            lengths[words[index].as_bytes()[0] as usize] |= 1 << words[index].len();
            index += 1;
        }
        Self { words, lengths }
    }

    /// Whether `name` is one of them, in letters of either case.
    pub fn has(&self, name: &str) -> bool {
        let Some(first) = name.bytes().next() else { return false };
        let lengths = self.lengths[usize::from(first.to_ascii_lowercase())];
        name.len() < 32
            && lengths >> name.len() & 1 == 1
            && self.words.iter().any(|word| word.eq_ignore_ascii_case(name))
    }

    /// Whether a word of a text is one of them, be it with a number: `iPhone15`.
    pub fn are_in(&self, text: &str) -> bool {
        let is_digit = |char: char| char.is_ascii_digit();
        words(text).any(|word| {
            self.has(word) || word.ends_with(is_digit) && self.has(word.trim_end_matches(is_digit))
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.words.iter().copied()
    }
}

/// The words of a text: letters and digits, and whatever is not of ASCII.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends_word = |byte: u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    let mut rest = text;
    std::iter::from_fn(move || {
        let begin = rest.bytes().position(|byte| !ends_word(byte))?;
        let end = rest[begin..].bytes().position(ends_word).map_or(rest.len(), |len| begin + len);
        let word = &rest[begin..end];
        rest = &rest[end..];
        Some(word)
    })
}

/// Whether a text names a phone, or another machine of a person that is no computer.
pub fn is_device(text: &str) -> bool {
    PHONES.are_in(text) || is_odd_device(text)
}

/// Whether a text names a machine of a person that is neither a computer nor one of today's phones.
pub fn is_odd_device(text: &str) -> bool {
    DEVICES.are_in(text)
}

pub fn is_phone(text: &str) -> bool {
    PHONES.are_in(text)
}

pub fn is_computer(text: &str) -> bool {
    COMPUTERS.are_in(text)
}

/// Whether a word of a name is that of a visitor: `FooBot`, `foo-bot`, `Foo Crawler`; not `Talbot`, nor
/// `SpiderSolitaire`.
pub fn is_visitor(name: &str) -> bool {
    name.split(' ').filter_map(|word| words(word).last()).any(|word| {
        let word = word.trim_end_matches(|char: char| char.is_ascii_digit());
        VISITORS.iter().any(|noun| ends_with_word(word, noun))
    })
}

/// Whether a program is named as hardly any app is: `price-scraper`, `acme_crawler`, in small letters as scripts are
/// written, and not `Rock Crawler` or `FitBot`.
pub fn names_a_crawler(name: &str) -> bool {
    const NOUNS: [&str; 2] = ["crawler", "scraper"];
    let last = name.rsplit(['-', '_', '.']).next().unwrap_or_default();
    last.len() < name.len() && NOUNS.contains(&last) && !name.contains(char::is_uppercase)
}

/// Whether a word is `noun`, or ends with it after a change from small to capital letters.
fn ends_with_word(word: &str, noun: &str) -> bool {
    let begins = word.len().checked_sub(noun.len()).filter(|begins| word.is_char_boundary(*begins));
    let Some((before, end)) = begins.map(|begins| word.split_at(begins)) else { return false };
    let is_word =
        before.is_empty() || before.ends_with(char::is_lowercase) && end.starts_with(char::is_uppercase);
    is_word && end.eq_ignore_ascii_case(noun)
}
