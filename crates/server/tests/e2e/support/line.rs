use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A line to a server, which can be cut and mended. Its address stays the same.
pub(crate) struct Line {
    target: String,
    address: SocketAddr,
    /// While the line is cut: holds the address without listening there, so that connections are refused.
    cut: Option<TcpSocket>,
    /// While it is mended.
    forwarding: Option<JoinHandle<()>>,
}

impl Line {
    /// A line to the server of that URL, cut for now; and the URL of the same thing at the line's end.
    pub(crate) fn to(url: &str) -> (Self, String) {
        let authority = url.split("://").nth(1).unwrap().split(['/', '?']).next().unwrap();
        let target = authority.rsplit('@').next().unwrap();
        assert!(!target.is_empty(), "the server has to be reachable over TCP: {url}");
        let socket = bound(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = socket.local_addr().unwrap();
        let line = Self {
            target: if target.contains(':') {
                target.to_owned()
            } else {
                format!("{target}:5432")
            },
            address,
            cut: Some(socket),
            forwarding: None,
        };
        (line, url.replacen(target, &address.to_string(), 1))
    }

    pub(crate) fn mend(&mut self) {
        let listener = self.cut.take().expect("it is cut").listen(64).unwrap();
        self.forwarding = Some(tokio::spawn(forward(listener, self.target.clone())));
    }

    pub(crate) async fn cut(&mut self) {
        let forwarding = self.forwarding.take().expect("it is mended");
        forwarding.abort();
        // With the task end the listener and the connections that it forwards.
        assert!(forwarding.await.unwrap_err().is_cancelled());
        self.cut = Some(bound(self.address));
    }
}

fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn forward(listener: TcpListener, target: String) {
    let mut connections = JoinSet::new();
    loop {
        let (mut incoming, _) = listener.accept().await.unwrap();
        let target = target.clone();
        connections.spawn(async move {
            if let Ok(mut outgoing) = TcpStream::connect(target).await {
                // How it ends is not the line's business.
                let _ = copy_bidirectional(&mut incoming, &mut outgoing).await;
            }
        });
    }
}
