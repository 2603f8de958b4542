//! Conversations with processes that lie.

use super::*;
use crate::Effector;
use futures::future::{ready, BoxFuture, FutureExt};
use millrace_executor::OwnedInput;
use millrace_primitives::execution::Request;
use millrace_primitives::market::{Host, Hosts};
use millrace_primitives::H256;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

const LIMITS: CallLimits = CallLimits {
	gas: 1_000,
	memory_bytes: 65_536,
	request_bytes: 1_024,
	response_bytes: 16,
};
const WALL: Duration = Duration::from_secs(5);

/// Answers with the number of its answers, and fails from a certain one on.
#[derive(Debug)]
struct Counting {
	answered: AtomicUsize,
	fails_at: usize,
	length: usize,
}

impl Counting {
	fn new(fails_at: usize, length: usize) -> Arc<Self> {
		Arc::new(Self {
			answered: AtomicUsize::new(0),
			fails_at,
			length,
		})
	}
}

impl Effector for Counting {
	fn perform(&self, _: Hosts, _: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, EffectFailure>> {
		let number = self.answered.fetch_add(1, Ordering::Relaxed);
		let reply = if number < self.fails_at {
			Ok(vec![number as u8; self.length])
		} else {
			Err(EffectFailure::Unavailable)
		};
		ready(reply).boxed()
	}
}

fn call(hosts: &[&str], effects: Arc<dyn Effector>) -> GuestCall {
	let hosts: Vec<Host> = hosts
		.iter()
		.map(|host| host.as_bytes().to_vec().try_into().unwrap())
		.collect();
	GuestCall {
		deal: 1,
		package: H256::zero(),
		places: 1,
		input: OwnedInput {
			request: Arc::new(Request::default()),
			limits: LIMITS,
			hosts: hosts.try_into().unwrap(),
			clock_ms: 0,
			seed: H256::zero(),
		},
		effects,
	}
}

fn output() -> Output {
	Output {
		status: CallStatus::Exited(0),
		response: b"out".to_vec(),
		stderr: Vec::new(),
		gas: 10,
		transcript: Transcript::default(),
	}
}

fn ask(number: u8) -> Vec<u8> {
	format!("GET http://a.example/{number}\r\n\r\n").into_bytes()
}

/// What comes of a call whose process says these things, one after each thing that it is told.
async fn say(
	call: &GuestCall,
	record: &mut Record,
	said: Vec<FromGuest>,
) -> Result<CallOutput, Trouble> {
	let (mut ours, mut theirs) = UnixStream::pair().unwrap();
	tokio::spawn(async move {
		for message in said {
			frame::receive(&mut theirs, 65_536).await?;
			theirs.write_all(&frame::encode(&message)).await?;
		}
		Ok::<(), Error>(())
	});
	record.rewind();
	converse(&mut ours, call, record, WALL).await
}

#[tokio::test]
async fn what_a_call_cannot_come_to_is_a_lie() {
	let call = call(&[], Counting::new(0, 0));
	let end = |change: fn(&mut Output)| {
		let mut output = output();
		change(&mut output);
		vec![FromGuest::Done(Ok(output))]
	};
	let mut record = Record::default();
	let told = say(&call, &mut record, end(|_| {})).await.unwrap();
	assert_eq!(told, CallOutput::from(output()));
	let ran_out = end(|output| {
		output.status = CallStatus::OutOfGas;
		output.response.clear();
		output.gas = LIMITS.gas;
	});
	assert!(say(&call, &mut record, ran_out).await.is_ok());
	let lies: [fn(&mut Output); 6] = [
		|output| output.gas = LIMITS.gas + 1,
		|output| output.response = vec![0; 17],
		|output| output.status = CallStatus::Trapped,
		|output| {
			output.status = CallStatus::OutOfGas;
			output.response.clear();
		},
		|output| output.stderr = vec![0; MAX_STDERR_BYTES + 1],
		|output| {
			output.transcript.0.push(EffectRecord {
				request: H256::zero(),
				reply: Vec::new(),
			})
		},
	];
	for (number, lie) in lies.into_iter().enumerate() {
		let told = say(&call, &mut record, end(lie)).await;
		assert!(matches!(told, Err(Trouble::Lie(_))), "{number}: {told:?}");
	}
}

#[tokio::test]
async fn effects_are_recorded_here_and_replied_again() {
	let effector = Counting::new(2, 3);
	let call = call(&["a.example"], effector.clone());
	let transcript = Transcript(vec![
		EffectRecord {
			request: effect_hash(&ask(0)),
			reply: vec![0; 3],
		},
		EffectRecord {
			request: effect_hash(&ask(1)),
			reply: vec![1; 3],
		},
	]);
	let done = FromGuest::Done(Ok(Output {
		transcript: transcript.clone(),
		..output()
	}));
	let mut record = Record::default();
	// The process is lost after the first effect; in the next one the call begins again.
	let first = vec![FromGuest::Effect(ask(0))];
	let lost = say(&call, &mut record, first).await;
	assert!(matches!(lost, Err(Trouble::Lost)), "{lost:?}");
	let again = vec![
		FromGuest::Effect(ask(0)),
		FromGuest::Effect(ask(1)),
		done.clone(),
	];
	let told = say(&call, &mut record, again).await.unwrap();
	assert_eq!(told.transcript, transcript);
	assert_eq!(effector.answered.load(Ordering::Relaxed), 2);
	// A run that asks otherwise, or for less, is no run of this call.
	for lie in [
		vec![FromGuest::Effect(ask(9))],
		vec![FromGuest::Effect(ask(0)), done],
		vec![FromGuest::Done(Ok(output()))],
	] {
		let told = say(&call, &mut record, lie).await;
		assert!(matches!(told, Err(Trouble::Lie(_))), "{told:?}");
	}
}

#[tokio::test]
async fn what_a_guest_may_not_ask_is_not_performed() {
	let effector = Counting::new(100, 0);
	let call = call(&["a.example"], effector.clone());
	for request in [
		b"GET http://b.example/\r\n\r\n".to_vec(),
		b"PUT http://a.example/\r\n\r\n".to_vec(),
		b"nonsense".to_vec(),
		[ask(0), vec![b'a'; MAX_EFFECT_REQUEST as usize]].concat(),
	] {
		let asked = vec![FromGuest::Effect(request)];
		let told = say(&call, &mut Record::default(), asked).await;
		assert!(matches!(told, Err(Trouble::Lie(_))), "{told:?}");
	}
	assert_eq!(effector.answered.load(Ordering::Relaxed), 0);
	// An endless row of them ends after as many as there may be.
	let endless = (0..100).map(|number| FromGuest::Effect(ask(number)));
	let told = say(&call, &mut Record::default(), endless.collect()).await;
	assert!(matches!(told, Err(Trouble::Lie(_))), "{told:?}");
	assert_eq!(
		effector.answered.load(Ordering::Relaxed),
		MAX_EFFECTS as usize
	);
}

#[tokio::test]
async fn an_effect_that_fails_ends_the_call_without_a_result() {
	for (effector, failure) in [
		(Counting::new(0, 0), EffectFailure::Unavailable),
		(
			Counting::new(1, MAX_EFFECT_REPLY as usize + 1),
			EffectFailure::ReplyTooLong,
		),
	] {
		let call = call(&["a.example"], effector);
		let mut record = Record::default();
		let given_up = vec![
			FromGuest::Effect(ask(0)),
			FromGuest::Done(Err("as told".into())),
		];
		let told = say(&call, &mut record, given_up).await;
		assert!(
			matches!(told, Err(Trouble::Over(GuestError::Effect(found))) if found == failure),
			"{told:?}"
		);
		for next in [FromGuest::Done(Ok(output())), FromGuest::Effect(ask(1))] {
			let goes_on = vec![FromGuest::Effect(ask(0)), next];
			let told = say(&call, &mut record, goes_on).await;
			assert!(matches!(told, Err(Trouble::Lie(_))), "{told:?}");
		}
	}
}

#[tokio::test]
async fn a_process_that_says_nothing_or_too_much_is_noticed() {
	let call = call(&[], Counting::new(0, 0));
	let (mut ours, _silent) = UnixStream::pair().unwrap();
	let wall = Duration::from_millis(20);
	let told = converse(&mut ours, &call, &mut Record::default(), wall).await;
	assert!(matches!(told, Err(Trouble::TooSlow)), "{told:?}");

	let (mut ours, mut other) = UnixStream::pair().unwrap();
	other.write_all(&[255; 64]).await.unwrap();
	let told = converse(&mut ours, &call, &mut Record::default(), WALL).await;
	assert!(matches!(told, Err(Trouble::Lie(_))), "{told:?}");

	let (mut ours, theirs) = UnixStream::pair().unwrap();
	drop(theirs);
	let told = converse(&mut ours, &call, &mut Record::default(), WALL).await;
	assert!(matches!(told, Err(Trouble::Lost)), "{told:?}");
}
