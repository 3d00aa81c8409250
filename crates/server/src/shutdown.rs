//! Stopping in two steps: first nothing new is begun, then what is under way is finished.

use tokio::sync::watch;

/// Tells everybody that the server stops.
pub struct Trigger(watch::Sender<bool>);

/// Knows whether the server stops.
#[derive(Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// A trigger and what listens to it.
pub fn channel() -> (Trigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Trigger(sender), Shutdown(receiver))
}

impl Trigger {
    pub fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Resolves when the server stops, or when nobody is left who could say so.
    pub async fn begun(&mut self) {
        // An error means that the trigger is gone, which says the same.
        let _ = self.0.wait_for(|begun| *begun).await;
    }
}
