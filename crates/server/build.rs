//! Compresses the files that browsers load, once, and writes a table of them into the server: to compress a script of
//! 340 KiB takes longer than to answer a thousand events.

#![allow(clippy::print_stdout, reason = "cargo listens to what a build script prints")]

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The folders as `make web` fills them, and where their files are found.
const FOLDERS: [(&str, &str); 2] = [("../../web/dashboard/dist", ""), ("../../web/tracker/dist", "")];
/// What is shipped is compressed as well as can be, which takes a quarter of a minute; what is built to be tried, soon.
const BROTLI_QUALITY: i32 = 11;
const BROTLI_QUALITY_SOON: i32 = 5;
/// 4 MiB, more than any of the files.
const BROTLI_WINDOW_LOG: i32 = 22;
const BROTLI_BUFFER_BYTES: usize = 64 * 1024;

fn main() -> io::Result<()> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?);
    let mut files = Vec::new();
    for (folder, prefix) in FOLDERS {
        println!("cargo:rerun-if-changed={folder}");
        collect(Path::new(folder), prefix, &mut files)?;
    }
    println!("cargo:rerun-if-changed=build.rs");
    files.sort();
    let mut table = String::from("&[\n");
    for (index, (name, path)) in files.iter().enumerate() {
        let plain = fs::read(path)?;
        let gzip = keep(&out.join(format!("{index}.gz")), &gzip(&plain)?, &plain)?;
        let brotli = keep(&out.join(format!("{index}.br")), &brotli(&plain)?, &plain)?;
        let path = fs::canonicalize(path)?;
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "    File {{ path: {name:?}, plain: include_bytes!({path:?}), gzip: {gzip}, brotli: {brotli} }},"
        );
    }
    table.push(']');
    fs::write(out.join("files.rs"), table)?;
    fs::write(out.join("chapters.rs"), chapters()?)
}

/// The chapters of the documentation, by their names, in their order: a file each, such as `AI_AGENTS` of
/// `docs/manual/ai-agents.md`.
fn chapters() -> io::Result<String> {
    let security = PathBuf::from("../../SECURITY.md");
    let mut files = vec![PathBuf::from("../../README.md"), security.clone()];
    println!("cargo:rerun-if-changed=../../docs");
    for folder in ["../../docs", "../../docs/manual"] {
        for entry in fs::read_dir(folder)? {
            files.push(entry?.path());
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut chapters = Vec::new();
    for path in files {
        // A chapter is called as this file is.
        let name = if path == security {
            "security-measures".into()
        } else {
            path.file_stem().unwrap_or_default().to_string_lossy()
        };
        let in_repository = path.strip_prefix("../..").unwrap_or(&path).to_owned();
        chapters.push((name.replace('-', "_").to_ascii_uppercase(), in_repository, fs::canonicalize(&path)?));
    }
    chapters.sort();
    let rows = chapters.iter().map(|(name, path, file)| {
        format!("    Chapter {{ name: {name:?}, path: {path:?}, text: include_str!({file:?}) }},\n")
    });
    Ok(format!("&[\n{}]", rows.collect::<String>()))
}

/// The files under a folder, by the path at which they are found.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}

/// Keeps the compressed form where it is smaller; the expression that includes it.
fn keep(path: &Path, compressed: &[u8], plain: &[u8]) -> io::Result<String> {
    if compressed.len() >= plain.len() {
        return Ok("None".to_owned());
    }
    fs::write(path, compressed)?;
    Ok(format!("Some(include_bytes!({path:?}))"))
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn brotli(plain: &[u8]) -> io::Result<Vec<u8>> {
    let is_shipped = std::env::var_os("OPT_LEVEL").is_some_and(|level| level == "3");
    let mut encoder = brotli::CompressorWriter::with_params(
        Vec::new(),
        BROTLI_BUFFER_BYTES,
        &brotli::enc::BrotliEncoderParams {
            quality: if is_shipped { BROTLI_QUALITY } else { BROTLI_QUALITY_SOON },
            lgwin: BROTLI_WINDOW_LOG,
            ..Default::default()
        },
    );
    encoder.write_all(plain)?;
    Ok(encoder.into_inner())
}
