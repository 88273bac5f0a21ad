#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{MAX_FRAME, frame, read_frame, write_frame};
use std::io::ErrorKind;
use tokio::io::{AsyncWriteExt, duplex};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn messages_come_back_as_they_were_and_in_order() {
    block_on(async {
        // A pipe that holds three bytes, so that every frame arrives in pieces.
        let (mut a, mut b) = duplex(3);
        let messages = [vec![], vec![7], (0..=255).collect::<Vec<u8>>()];
        let sent = messages.clone();
        let writer = tokio::spawn(async move {
            for message in &sent {
                write_frame(&mut a, &frame(message).unwrap()).await.unwrap();
            }
        });
        for message in messages {
            assert_eq!(read_frame(&mut b).await.unwrap(), Some(message));
        }
        writer.await.unwrap();
        assert_eq!(read_frame(&mut b).await.unwrap(), None);
    });
}

#[test]
fn a_frame_that_is_cut_off_or_too_long_is_an_error() {
    let read = |bytes: Vec<u8>| {
        block_on(async move {
            let (mut a, mut b) = duplex(64);
            a.write_all(&bytes).await.unwrap();
            drop(a);
            read_frame(&mut b).await.map_err(|e| e.kind())
        })
    };
    assert_eq!(read(vec![]), Ok(None));
    assert_eq!(read(vec![0, 0]), Err(ErrorKind::UnexpectedEof));
    assert_eq!(read(vec![0, 0, 0, 2, 9]), Err(ErrorKind::UnexpectedEof));
    assert_eq!(read(vec![0, 0, 0, 2, 9, 8]), Ok(Some(vec![9, 8])));
    // Refused before anything of that size is made.
    let over = u32::try_from(MAX_FRAME + 1).unwrap();
    assert_eq!(
        read(over.to_be_bytes().to_vec()),
        Err(ErrorKind::InvalidData)
    );
    assert!(frame(&vec![0; MAX_FRAME + 1]).is_none());
}
