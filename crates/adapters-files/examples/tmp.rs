//! t
use tertulia_application::ports::ImageInspector;
fn st(n: &str) -> usize {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    s.lines()
        .find(|l| l.starts_with(n))
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let f = tertulia_adapters_files::FileFormats::start().unwrap();
    for p in std::env::args().skip(1) {
        let b: bytes::Bytes = std::fs::read(&p).unwrap().into();
        let i = f.inspect(&b[..b.len().min(256 * 1024)]);
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let r = st("VmRSS");
        let t = std::time::Instant::now();
        let o = f.thumbnail(b, 320).await;
        let g = st("VmHWM") - r;
        println!(
            "{p}: {} {:?} -> {} peak +{} MiB in {:?}",
            i.media_type.as_str(),
            i.dimensions.map(|d| (d.width, d.height)),
            match &o {
                Ok(b) => {
                    let im = image::load_from_memory(b).unwrap();
                    format!(
                        "{:?} {}x{} {} bytes",
                        image::guess_format(b).unwrap(),
                        im.width(),
                        im.height(),
                        b.len()
                    )
                }
                Err(e) => e.0.clone(),
            },
            g / 1024,
            t.elapsed()
        );
    }
}
