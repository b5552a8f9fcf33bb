//! Several at a time: most of a cell is waiting, for a fault or for what follows one.

use std::sync::Mutex;

/// Works on three at a time, and gives what came of each, in their order.
pub(crate) async fn side_by_side<T, R>(items: impl IntoIterator<Item = T>, work: impl AsyncFn(T) -> R) -> Vec<R> {
    let waiting = Mutex::new(items.into_iter().enumerate());
    let next = || waiting.lock().unwrap().next();
    let lane = async || {
        let mut done = Vec::new();
        while let Some((place, item)) = next() {
            done.push((place, work(item).await));
        }
        done
    };
    let (one, two, three) = tokio::join!(lane(), lane(), lane());
    let mut done: Vec<_> = [one, two, three].into_iter().flatten().collect();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}
