//! Accounts of a shop in 2015, labeled as fraud or not: a sign-up and a purchase each, told to an empty
//! world in order of time. An account is scored right after its purchase, so that nothing later counts,
//! and no label is read before the figures.

use std::collections::HashMap;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use dregs_core::event::{Event, EventIdentity, OfBackend};
use dregs_core::score::{Analysis, Category, Weights};
use dregs_core::time::Timestamp;
use dregs_core::world::World;
use flate2::read::GzDecoder;
use serde_json::Map;

use crate::calibration::Labelled;
use crate::curves::Curve;
use crate::figures::{Error, Report, Target, auc, found_at};

const NAME: &str = "e-commerce";
/// What the data gives away at most: gradient boosting with the labels, on every feature that is known at the
/// moment of the purchase.
const CEILING: Figures = Figures { auc: 0.783, found: 0.562, late_auc: 0.543 };
/// How near to it the analyzers should come, without a label.
const RATIO: Figures = Figures { auc: 0.99, found: 0.97, late_auc: 0.98 };
/// The rule to compare with: a purchase within this time of the sign-up, and then as many accounts on its device.
const AT_ONCE_MS: i64 = 60_000;
const FILE: &str = "ecommerce_fraud_30k.csv.gz";
/// The part of all purchases that is late.
const LATE: f64 = 0.2;

struct Account {
    id: String,
    device: String,
    ip: IpAddr,
    signed_up: Timestamp,
    purchased: Timestamp,
    is_fraud: bool,
}

/// Scores every account and compares with the labels.
pub fn measure(folder: &Path, report: &mut Report) -> Result<(), Error> {
    let accounts = read(&folder.join(FILE))?;
    report.source(
        NAME,
        "30,189 accounts of the public Fraud_Data set, no license stated: measured, not shipped",
    );
    let mut on_device: HashMap<&str, u32> = HashMap::new();
    let (mut scored, mut by_rule) = (Vec::new(), Vec::new());
    play(&accounts, |account, moment| match moment {
        Moment::SignUp => *on_device.entry(&account.device).or_default() += 1,
        Moment::Purchase(Analysis { scores, .. }) => {
            let worst = [Category::Uniqueness, Category::Behavior];
            let worst = worst.into_iter().filter_map(|category| scores.get(category)).min().unwrap_or(100);
            scored.push((1.0 - f64::from(worst) / 100.0, account.is_fraud));
            let is_at_once = account.purchased.millis_since(account.signed_up) <= AT_ONCE_MS;
            let accounts = on_device.get(account.device.as_str()).copied().unwrap_or_default();
            by_rule.push((
                f64::from(accounts) + if is_at_once { f64::from(u16::MAX) } else { 0.0 },
                account.is_fraud,
            ));
        }
    })?;
    compare(Figures::of(&scored), Figures::of(&by_rule), report);
    let curves = vec![
        Curve::new("all purchases", &scored),
        Curve::new("the last 20% of time", late(&scored)),
        Curve::new("all, by the rule without labels", &by_rule),
    ];
    report.draw("ecommerce.svg", "Fraudulent purchases of a shop", curves);
    Ok(())
}

/// Each account as it was seen right after its purchase.
pub fn labelled(folder: &Path) -> Result<Vec<Labelled>, Error> {
    let accounts = read(&folder.join(FILE))?;
    let mut labelled = Vec::new();
    play(&accounts, |account, moment| {
        if let Moment::Purchase(analysis) = moment {
            labelled.push(Labelled { at: account.purchased, is_bad: account.is_fraud, analysis });
        }
    })?;
    Ok(labelled)
}

/// What somebody has just done.
enum Moment {
    SignUp,
    Purchase(Analysis),
}

/// Tells an empty world of all, in order of time, and says after each what happened.
fn play<'a>(accounts: &'a [Account], mut seen: impl FnMut(&'a Account, Moment)) -> Result<(), Error> {
    let mut told: Vec<_> = accounts
        .iter()
        .flat_map(|account| {
            [(account.signed_up, "signup", account), (account.purchased, "purchase", account)]
        })
        .collect();
    // Both in one minute: the sign-up comes first.
    told.sort_by_key(|(at, name, _)| (*at, *name == "purchase"));
    let mut world = World::default();
    for (at, name, account) in told {
        world.take(&event(account, name, at));
        if name == "signup" {
            seen(account, Moment::SignUp);
        } else {
            let analysis = world.analyze(&account.id, &Weights::default()).ok_or("an account is gone")?;
            seen(account, Moment::Purchase(analysis));
        }
    }
    Ok(())
}

/// How well fraud is told.
#[derive(Clone, Copy)]
struct Figures {
    auc: f64,
    /// At 1% false positives.
    found: f64,
    /// In the last fifth of all purchases.
    late_auc: f64,
}

impl Figures {
    fn of(scored: &[(f64, bool)]) -> Self {
        Self { auc: auc(scored), found: found_at(scored, 0.01), late_auc: auc(late(scored)) }
    }

    const fn each(self) -> [f64; 3] {
        [self.auc, self.found, self.late_auc]
    }
}

fn late(scored: &[(f64, bool)]) -> &[(f64, bool)] {
    &scored[(scored.len() as f64 * (1.0 - LATE)) as usize..]
}

/// Each figure, no worse than the rule's, and as a part of what can be reached.
fn compare(own: Figures, rule: Figures, report: &mut Report) {
    let names = ["AUC over all", "found at 1% false positives", "AUC in the last 20% of time"];
    for (n, name) in names.into_iter().enumerate() {
        let (own, rule, ceiling) = (own.each()[n], rule.each()[n], CEILING.each()[n]);
        report.figure(NAME, &format!("{name}, by the rule without labels"), rule, None);
        report.figure(NAME, &format!("{name}, no less than the rule"), own, Some(Target::AtLeast(rule)));
        let what = format!("{name}, as a part of the ceiling of {ceiling}");
        report.figure(NAME, &what, own / ceiling, Some(Target::AtLeast(RATIO.each()[n])));
    }
}

fn event(account: &Account, name: &str, at: Timestamp) -> Event {
    Event {
        id: String::new(),
        name: name.to_owned(),
        timestamp: at,
        source: None,
        identity: Some(EventIdentity { id: account.id.clone(), data: Map::new() }),
        groups: Vec::new(),
        data: Map::new(),
        fingerprint: Some(account.device.clone()),
        components: None,
        interaction: None,
        session: None,
        url: None,
        ip: Some(account.ip),
        user_agent: None,
        place: None,
        of_backend: OfBackend::default(),
        signature: None,
    }
}

fn read(path: &Path) -> Result<Vec<Account>, Error> {
    let file = std::fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text)?;
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap_or_default().trim_start_matches('\u{feff}').split(',').collect();
    let column =
        |name: &str| header.iter().position(|column| *column == name).ok_or(format!("no column {name}"));
    let [id, signed_up, purchased, device, ip, class] =
        ["user_id", "signup_time", "purchase_time", "device_id", "ip_address", "class"].map(column);
    let (id, signed_up, purchased, device, ip, class) = (id?, signed_up?, purchased?, device?, ip?, class?);
    let mut accounts = Vec::new();
    for line in lines {
        let fields: Vec<_> = line.split(',').collect();
        // The last line is cut.
        let is_fraud = match fields.get(class) {
            Some(&"1") => true,
            Some(&"0") => false,
            _ => continue,
        };
        accounts.push(Account {
            id: fields[id].to_owned(),
            device: fields[device].to_owned(),
            ip: Ipv4Addr::from(fields[ip].parse::<f64>()? as u32).into(),
            signed_up: time(fields[signed_up]).ok_or_else(|| format!("no time: {line}"))?,
            purchased: time(fields[purchased]).ok_or_else(|| format!("no time: {line}"))?,
            is_fraud,
        });
    }
    Ok(accounts)
}

/// `month/day/year hour:minute`, in UTC.
fn time(text: &str) -> Option<Timestamp> {
    let (date, clock) = text.split_once(' ')?;
    let mut date = date.split('/');
    let (month, day, year) = (date.next()?, date.next()?, date.next()?);
    let (hour, minute) = clock.split_once(':')?;
    Timestamp::parse(&format!("{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:00Z"))
}
