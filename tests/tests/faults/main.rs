//! Faults made on purpose, under load: programs killed, disks, descriptors and memory that run out,
//! clients that stop or vanish, networks that lose packets, clocks that jump. After each, the same
//! things must hold: see `aftermath`.

mod aftermath;
mod chance;
mod clock;
mod disk;
mod killing;
mod ledger;
mod limits;
mod manager;
mod network;
mod partition;
mod uploader;
