//! Hosts on turmoil 0.7: simulated TCP between hosts that run one after the other on one thread.
//!
//! It shows that a process does the same over real byte streams, broken connections and another
//! scheduler. It is no measure of speed: turmoil has no bandwidth, no cost of computing, and no
//! finer time than the millisecond.

use crate::engine::{Engine, HostConfig, Incoming, Observe, Storage, Ways};
use crate::wire::{read_frame, write_frame};
use crate::{Decode, HostError};
use ::turmoil::net::{TcpListener, TcpStream};
use ::turmoil::{Builder, Sim};
use consim_core::{NodeId, Process, Span, Streams, Time};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep};

/// Where every host listens.
const PORT: u16 = 7_000;
/// Messages that wait for a process, and frames that wait for a connection (assumed).
const QUEUE: usize = 65_536;
/// Segments that turmoil holds for one socket; above any number that is under way here (assumed).
const TCP_SEGMENTS: usize = 65_536;
/// Between two attempts to connect (assumed).
const RECONNECT: Duration = Duration::from_millis(50);

/// Makes the process of a node, at its start and after each crash.
pub type Spawn = Arc<dyn Fn(NodeId) -> Box<dyn Process>>;

/// A node that is down for a while.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// Which.
    pub node: NodeId,
    /// It crashes.
    pub from: Time,
    /// It starts again, with what its disk kept.
    pub to: Time,
}

/// A run on turmoil.
#[derive(Clone)]
pub struct Config {
    /// The seed of turmoil's network and of the nodes' streams.
    pub seed: u64,
    /// Calendar time of time zero, nanoseconds after the Unix epoch.
    pub start_ns: i64,
    /// The names of the nodes; a node's number is its index.
    pub names: Vec<String>,
    /// The least and the greatest delay of a segment, one way, in whole milliseconds.
    pub delay: (Span, Span),
    /// From the request to write until it is durable.
    pub disk_delay: Span,
    /// Reads messages.
    pub decode: Decode,
    /// Nodes that are down for a while.
    pub outages: Vec<Outage>,
    /// The end of the run.
    pub end: Time,
}

/// Runs processes on turmoil to the end of `config`; equal configurations give equal runs.
pub fn run(config: &Config, spawn: &Spawn, observe: &Observe) -> Result<(), HostError> {
    for outage in &config.outages {
        if outage.node.index() >= config.names.len() {
            return Err(HostError::UnknownNode(outage.node));
        }
    }
    let mut sim = build(config);
    let addresses: Arc<[IpAddr]> = config
        .names
        .iter()
        .map(|name| sim.lookup(name.as_str()))
        .collect();
    for (name, node) in config.names.iter().zip(0..) {
        let node = NodeId(node);
        let host = HostConfig {
            node,
            name: name.clone(),
            streams: Streams::new(config.seed),
            start_ns: config.start_ns,
            disk_delay: config.disk_delay,
            observe: Arc::clone(observe),
        };
        let (spawn, decode) = (Arc::clone(spawn), Arc::clone(&config.decode));
        let (addresses, storage) = (Arc::clone(&addresses), Arc::<Mutex<Storage>>::default());
        sim.host(name.as_str(), move || {
            let process = spawn(node);
            let (host, addresses) = (host.clone(), Arc::clone(&addresses));
            let (decode, storage) = (Arc::clone(&decode), Arc::clone(&storage));
            async move {
                serve(host, process, storage, addresses, decode).await?;
                Ok(())
            }
        });
    }
    drive(config, &mut sim)
}

fn build(config: &Config) -> Sim<'static> {
    let millis = |span: Span| Duration::from_millis(span.nanos() / 1_000_000);
    #[allow(
        clippy::disallowed_types,
        reason = "turmoil wants its epoch in this type; it is the plan's start, no clock is read"
    )]
    let epoch = std::time::SystemTime::UNIX_EPOCH
        + Duration::from_nanos(u64::try_from(config.start_ns).unwrap_or(0));
    Builder::new()
        .rng_seed(config.seed)
        .epoch(epoch)
        .tick_duration(Duration::from_millis(1))
        .min_message_latency(millis(config.delay.0))
        .max_message_latency(millis(config.delay.1))
        .tcp_capacity(TCP_SEGMENTS)
        .simulation_duration(Duration::from_nanos(
            (config.end - Time::ZERO)
                .nanos()
                .saturating_add(1_000_000_000),
        ))
        .build()
}

/// Steps the simulation and takes nodes down and up.
fn drive(config: &Config, sim: &mut Sim<'_>) -> Result<(), HostError> {
    // By time; a node that is down comes up before another goes down at the same instant.
    let mut switches = BTreeSet::new();
    for outage in &config.outages {
        switches.insert((outage.from, true, outage.node));
        switches.insert((outage.to, false, outage.node));
    }
    loop {
        let elapsed = u64::try_from(sim.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let now = Time::ZERO + Span::from_nanos(elapsed);
        if now >= config.end {
            return Ok(());
        }
        while let Some(&(at, down, node)) = switches.first()
            && at <= now
        {
            switches.pop_first();
            let Some(name) = config.names.get(node.index()) else {
                return Err(HostError::UnknownNode(node));
            };
            if down {
                sim.crash(name.as_str());
            } else {
                sim.bounce(name.as_str());
            }
        }
        sim.step()
            .map_err(|error| HostError::Runtime(error.to_string()))?;
    }
}

/// One life of a host.
async fn serve(
    config: HostConfig,
    process: Box<dyn Process>,
    storage: Arc<Mutex<Storage>>,
    addresses: Arc<[IpAddr]>,
    decode: Decode,
) -> std::io::Result<()> {
    let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT)).await?;
    let zero = Instant::now()
        .checked_sub(::turmoil::sim_elapsed().unwrap_or_default())
        .unwrap_or_else(Instant::now);
    let (in_queue, inbox) = channel(QUEUE);
    let me = config.node;
    let ways: Ways = addresses
        .iter()
        .zip(0..)
        .map(|(&address, index)| {
            (NodeId(index) != me).then(|| {
                let (out_queue, frames) = channel(QUEUE);
                tokio::spawn(write(address, frames));
                out_queue
            })
        })
        .collect();
    tokio::spawn(accept(listener, addresses, in_queue, decode));
    Engine::new(config, process, storage, ways, zero)
        .run(inbox)
        .await;
    Ok(())
}

/// Accepts connections. Who sent something is told by where the connection comes from.
async fn accept(
    listener: TcpListener,
    addresses: Arc<[IpAddr]>,
    inbox: Sender<Incoming>,
    decode: Decode,
) {
    while let Ok((stream, from)) = listener.accept().await {
        let sender = addresses.iter().zip(0..).find(|&(a, _)| *a == from.ip());
        if let Some((_, node)) = sender {
            tokio::spawn(read(
                stream,
                NodeId(node),
                inbox.clone(),
                Arc::clone(&decode),
            ));
        }
    }
}

/// Reads messages of one connection until it breaks or says something that is no message.
async fn read(mut stream: TcpStream, from: NodeId, inbox: Sender<Incoming>, decode: Decode) {
    while let Ok(Some(bytes)) = read_frame(&mut stream).await {
        let Ok(payload) = decode(&bytes) else {
            return;
        };
        if inbox.send((from, payload)).await.is_err() {
            return;
        }
    }
}

/// Writes frames to one node, connecting as often as it takes. What a broken connection swallowed
/// is lost.
async fn write(address: IpAddr, mut frames: Receiver<Arc<[u8]>>) {
    let mut stream: Option<TcpStream> = None;
    while let Some(frame) = frames.recv().await {
        if stream.is_none() {
            stream = TcpStream::connect((address, PORT)).await.ok();
        }
        let sent = match &mut stream {
            Some(stream) => write_frame(stream, &frame).await.is_ok(),
            None => false,
        };
        if !sent {
            stream = None;
            // Nobody is there: what waits is old by the time that somebody is.
            while frames.try_recv().is_ok() {}
            sleep(RECONNECT).await;
        }
    }
}
