//! Work on several threads, its results in order.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Results that may wait for an earlier one, per thread; beyond it a thread waits. Bounds memory.
const AHEAD: usize = 4;
/// The stack of a thread: that of a main thread on Linux, on which everything else is tested.
const STACK: usize = 8 << 20;

/// The threads that this machine offers; 1 where it does not say.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

struct State<T> {
    /// The next number to be worked on.
    next: usize,
    /// The next to be handed on.
    due: usize,
    done: BTreeMap<usize, T>,
    stopped: bool,
}

/// Does `work` for every number below `n` on at most `threads` threads, and hands the results to
/// `take` on this thread in the order of the numbers. When `take` says `false`, nothing further is
/// begun and the rest is dropped. A panic of `work` is passed on.
pub fn in_order<T: Send>(
    n: usize,
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> bool,
) {
    let threads = threads.clamp(1, n.max(1));
    let state = Mutex::new(State {
        next: 0,
        due: 0,
        done: BTreeMap::new(),
        stopped: false,
    });
    let changed = Condvar::new();
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = |guard| changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
    let claim = || -> Option<usize> {
        let mut state: MutexGuard<'_, State<T>> = lock();
        while !state.stopped && state.next < n && state.next >= state.due + threads * AHEAD {
            state = wait(state);
        }
        let number = state.next;
        (!state.stopped && number < n).then(|| {
            state.next += 1;
            number
        })
    };
    let stop = || {
        lock().stopped = true;
        changed.notify_all();
    };
    // Also if `take` panics, nobody may wait for ever.
    let _stop = OnDrop(&stop);
    let worker = || {
        while let Some(number) = claim() {
            match std::panic::catch_unwind(AssertUnwindSafe(|| work(number))) {
                Ok(result) => {
                    lock().done.insert(number, result);
                    changed.notify_all();
                }
                Err(panic) => {
                    stop();
                    std::panic::resume_unwind(panic);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let mut started = 0;
        for _ in 0..threads {
            let builder = std::thread::Builder::new().stack_size(STACK);
            started += usize::from(builder.spawn_scoped(scope, worker).is_ok());
        }
        if started == 0 {
            // No thread is to be had: the work is done here.
            for number in 0..n {
                if !take(number, work(number)) {
                    break;
                }
            }
            return;
        }
        for number in 0..n {
            let mut state = lock();
            let result = loop {
                if let Some(result) = state.done.remove(&number) {
                    break Some(result);
                }
                if state.stopped {
                    break None;
                }
                state = wait(state);
            };
            state.due = number + 1;
            drop(state);
            changed.notify_all();
            let Some(result) = result else { break };
            if !take(number, result) {
                break;
            }
        }
        stop();
    });
}

struct OnDrop<'a, F: Fn()>(&'a F);

impl<F: Fn()> Drop for OnDrop<'_, F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// How far several runs are together.
pub struct Meter<'a> {
    runs: u64,
    /// Thousandths of a run that are done.
    done: AtomicU64,
    progress: &'a (dyn Fn(f64) + Sync),
}

impl<'a> Meter<'a> {
    /// Nothing of `runs` is done; `progress` is told the share that is, 0 to 1.
    pub fn new(runs: u64, progress: &'a (dyn Fn(f64) + Sync)) -> Self {
        Self {
            runs,
            done: AtomicU64::new(0),
            progress,
        }
    }
    /// One of them; dropped, it is done.
    pub fn part(&self) -> Part<'_, 'a> {
        Part {
            meter: self,
            told: 0,
        }
    }
    fn add(&self, thousandths: u64) {
        let done = self.done.fetch_add(thousandths, Ordering::Relaxed) + thousandths;
        let all = self.runs.saturating_mul(1_000).max(1);
        (self.progress)((done as f64 / all as f64).min(1.0));
    }
}

/// The share of one run in a [`Meter`].
pub struct Part<'m, 'a> {
    meter: &'m Meter<'a>,
    told: u64,
}

impl Part<'_, '_> {
    /// So much of it is done, 0 to 1.
    pub fn tell(&mut self, share: f64) {
        let now = (share.clamp(0.0, 1.0) * 1_000.0) as u64;
        if now > self.told {
            self.meter.add(now - self.told);
            self.told = now;
        }
    }
}

impl Drop for Part<'_, '_> {
    fn drop(&mut self) {
        self.tell(1.0);
    }
}
