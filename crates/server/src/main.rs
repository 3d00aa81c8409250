use std::sync::Arc;
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async {
        let config = dregs_server::config::load(&Default::default()).unwrap().config;
        tracing_subscriber::fmt().with_env_filter(config.log.clone()).init();
        if let Some(f) = &config.failpoint {
            dregs_server::failpoint::arm(f).unwrap();
        }
        let listen = config.listen;
        let opened =
            dregs_server::App::open(config, Arc::new(dregs_server::clock::SystemClock)).await.unwrap();
        println!("{:?}", opened.first_start);
        let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
        dregs_server::serve(opened.app, opened.inboxes, listener, async {
            let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
            term.recv().await;
        })
        .await
        .unwrap();
    });
}
