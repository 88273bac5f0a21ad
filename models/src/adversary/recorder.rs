//! A correct node that keeps a record of what it hears, for forensics.

use consim_core::{CodecError, Context, Event, Payload, Probe, Process, Span};
use std::sync::Arc;

/// Tells observers of every message before the node handles it. Nothing else is changed.
pub struct Recorder(pub Box<dyn Process>);

impl Process for Recorder {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        if let Event::Message { from, payload } = &event {
            cx.emit(Probe::Heard {
                from: *from,
                payload: Arc::clone(payload),
            });
        }
        self.0.handle(cx, event);
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        self.0.decode(bytes)
    }
    fn longest_wait(&self) -> Span {
        self.0.longest_wait()
    }
}
