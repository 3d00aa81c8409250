//! A browser at the provider, as far as it is needed: it keeps cookies, follows redirects and sends the form.

use std::collections::BTreeMap;

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Response, redirect};
use serde_json::{Map, Value};
use url::Url;

use super::REDIRECT;

#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Signs in at the provider, and comes back with what it sends.
    pub async fn sign_in(mut self, url: &str, subject: &str) -> Value {
        let mut at = Url::parse(url).unwrap();
        let mut answer = self.ask(Method::GET, &at, String::new()).await;
        for _ in 0..10 {
            match answer.headers().get(LOCATION) {
                Some(location) => {
                    at = at.join(location.to_str().unwrap()).unwrap();
                    if at.as_str().starts_with(REDIRECT) {
                        let sent = at.query_pairs();
                        let sent =
                            sent.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())));
                        return Value::Object(sent.collect::<Map<_, _>>());
                    }
                    answer = self.ask(Method::GET, &at, String::new()).await;
                }
                None => {
                    assert!(at.path().starts_with("/login/"), "{at}: {}", answer.text().await.unwrap());
                    answer = self.ask(Method::POST, &at, format!("subject={subject}")).await;
                }
            }
        }
        panic!("the provider does not send the browser back");
    }

    async fn ask(&mut self, method: Method, url: &Url, form: String) -> Response {
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = client.request(method, url.clone()).header(COOKIE, cookies.join("; "));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let answer = request.send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}
