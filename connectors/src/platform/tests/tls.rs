//! A real TLS server behind a real forward proxy: own CA, proxy with a password, and no secret in any error or log.

use std::io::Write;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

const HOST: &str = "platform.test";
const APP: &str = "app-s3cret";
const AUTH: &str = "auth-s3cret";
const TOKEN: &str = "token-s3cret";
const PROXY: &str = "proxy-s3cret";
/// `user:proxy-s3cret`, as it travels.
const PROXY_BASIC: &str = "dXNlcjpwcm94eS1zM2NyZXQ=";

/// A CA and a server certificate for [`HOST`].
fn certificates() -> (String, ServerConfig) {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca_key = KeyPair::generate().unwrap();
    let pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![HOST.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (pem, config)
}

/// The platform behind TLS; gives its port.
async fn tls_platform(config: ServerConfig, tokens: Vec<Reply>, calls: Vec<Reply>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let script = Arc::new(Mutex::new((VecDeque::from(tokens), VecDeque::from(calls))));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
            tokio::spawn(async move {
                // A client that does not trust the certificate hangs up here.
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, script, Arc::default()).await;
                }
            });
        }
    });
    port
}

/// A forward proxy that asks for a password and takes every CONNECT to the given port of this machine; gives its port and what it saw.
async fn proxy(to: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let record = Arc::clone(&record);
            tokio::spawn(async move {
                let Some((head, _)) = request(&mut client).await else { return };
                record.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
                if !head.contains(PROXY_BASIC) {
                    let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
                    return;
                }
                let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (port, seen)
}

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

struct Setup {
    dir: tempfile::TempDir,
    base: String,
}

impl Setup {
    fn new(ca: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("app", APP), ("auth", AUTH), ("ca.pem", ca)] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let path = |name: &str| dir.path().join(name).display().to_string();
        let base = format!(
            "base_url = \"https://{HOST}/tps\"\napp_code = \"file:{}\"\nauth_code = \"file:{}\"\nsince = \"2024-01-01\"\n\
             [retry]\ntries = 2\nfirst_wait_ms = 1\n[http]\ntimeout_ms = 5000\n",
            path("app"),
            path("auth")
        );
        Self { dir, base }
    }

    /// A source that trusts the CA or not, behind a proxy with a password.
    fn source(&self, trusts: bool, proxy: u16, password: &str) -> PlatformSource {
        let file = self.dir.path().join("proxy");
        std::fs::write(&file, format!("http://user:{password}@127.0.0.1:{proxy}")).unwrap();
        let ca = if trusts { format!("ca_file = \"{}\"\n", self.dir.path().join("ca.pem").display()) } else { String::new() };
        let text = format!("{}{ca}proxy = \"file:{}\"\n", self.base, file.display());
        PlatformSource::connect(PlatformConfig::from_toml(&text).unwrap()).unwrap()
    }
}

#[tokio::test]
async fn own_ca_and_proxy_and_no_secret_leaves() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).with_ansi(false).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let (ca, config) = certificates();
    let setup = Setup::new(&ca);
    // the platform echoes what it was given, as some do
    let echo = ok(&format!(r#"{{"infcode":-1,"err_msg":"令牌{TOKEN}（{APP}/{AUTH}）未授权"}}"#));
    let port = tls_platform(config, vec![token(TOKEN)], vec![page(&[1], "1", "1"), echo]).await;
    let (gate, seen) = proxy(port).await;

    let source = setup.source(true, gate, PROXY);
    assert_eq!(read(&source).await.unwrap().rows, 1);
    assert_eq!(seen.lock().unwrap().first().map(String::as_str), Some("CONNECT platform.test:443 HTTP/1.1"));

    let echoed = read(&source).await.unwrap_err();
    assert!(echoed.to_string().contains("令牌***（***/***）未授权"), "{echoed}");
    let distrusted = read(&setup.source(false, gate, PROXY)).await.unwrap_err();
    assert!(distrusted.to_string().contains("certificate") && distrusted.kind() == FaultKind::Unavailable, "{distrusted}");
    let locked_out = read(&setup.source(true, gate, "wrong-s3cret")).await.unwrap_err();
    assert!(locked_out.to_string().contains("proxy"), "{locked_out}");
    drop(guard);

    let mut said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(said.contains("未授权") && said.contains("C1004"), "nothing was logged:\n{said}");
    for error in [echoed, distrusted, locked_out] {
        said.push_str(&format!("{error} {error:?} {}", error.hint().unwrap_or_default()));
    }
    said.push_str(&format!("{source:?}"));
    for secret in [APP, AUTH, TOKEN, PROXY, PROXY_BASIC, "wrong-s3cret"] {
        assert!(!said.contains(secret), "`{secret}` stands in:\n{said}");
    }
}

#[tokio::test]
async fn an_unusable_ca_file_or_proxy_is_named() {
    let setup = Setup::new("no certificate");
    let connect = |more: &str| PlatformSource::connect(PlatformConfig::from_toml(&format!("{}{more}", setup.base)).unwrap()).unwrap_err();
    for more in [format!("ca_file = \"{}\"", setup.dir.path().join("ca.pem").display()), "ca_file = \"/no/such.pem\"".to_owned()] {
        let error = connect(&more);
        assert!(error.kind() == FaultKind::Usage && error.to_string().contains("http.ca_file"), "{error}");
    }
    let error = connect("proxy = \"http://user:hunter2@[\"");
    assert!(error.to_string().contains("`http.proxy` is not a proxy URL") && !format!("{error:?}").contains("hunter2"), "{error:?}");
}
