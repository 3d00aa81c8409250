//! Calls that are wrong, told in one form, whether the parser of arguments finds it or a command.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::output::note;

/// Says what is wrong with a call; or, where that was asked for, how to call or which version this is.
pub fn tell(error: &clap::Error) {
    match wrong_value(error) {
        Some(message) => note(format_args!("dregs: {message}")),
        None if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let text = error.render().to_string();
            note(format_args!("dregs: {}", text.strip_prefix("error: ").unwrap_or(&text).trim_end()));
        }
        // Nobody is left to be told that the terminal is gone.
        None => drop(error.print()),
    }
}

/// What is wrong with the value of an argument, as settings say it: `--threshold: "200" is not …`.
fn wrong_value(error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg)?;
    // Of `--threshold <SCORE>` the flag.
    let name = argument.split(" <").next().unwrap_or(&argument);
    let value = text(ContextKind::InvalidValue).filter(|value| !value.is_empty())?;
    match (error.kind(), error.get(ContextKind::ValidValue)) {
        (ErrorKind::ValueValidation, _) => Some(format!("{name}: {value:?} {}", error.source()?)),
        (ErrorKind::InvalidValue, Some(ContextValue::Strings(known))) => {
            Some(format!("{name}: {value:?} is none of {}", known.join(", ")))
        }
        _ => None,
    }
}

/// Reads a whole number.
pub fn whole(text: &str, least: i64, most: i64) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| match most {
        i64::MAX => format!("is not a whole number, {least} or more"),
        _ => format!("is not a whole number from {least} to {most}"),
    })
}
