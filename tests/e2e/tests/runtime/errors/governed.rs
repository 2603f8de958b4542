//! Errors of parameters that are voted on.

use super::scene::{assert_all_raised, on_dev_chain, refuses, root};
use millrace_primitives::Balance;
use millrace_runtime::{
	parameters::{
		dynamic_params::{epochs, market},
		RuntimeParameters,
	},
	Runtime,
};

type Governed = pallet_governed::Call<Runtime>;

fn min_price(value: Option<Balance>) -> Governed {
	let parameter = market::Parameters::MinPrice(market::MinPrice, value);
	let parameter = RuntimeParameters::Market(parameter);
	Governed::set { parameter }
}

fn length(blocks: u32) -> Governed {
	let parameter = epochs::Parameters::Len(epochs::Len, Some(blocks));
	let parameter = RuntimeParameters::Epochs(parameter);
	Governed::set { parameter }
}

#[test]
fn every_error_of_governed_is_raised() {
	on_dev_chain(|| {
		refuses!(Governed::NoValue, root(), min_price(None));
		refuses!(Governed::BelowLeast, root(), min_price(Some(0)));
		refuses!(Governed::AboveMost, root(), min_price(Some(Balance::MAX)));
		refuses!(Governed::BelowLeast, root(), length(9));
		refuses!(Governed::AboveMost, root(), length(u32::MAX));
		// The windows take sixteen blocks, and two more must stand behind them.
		refuses!(Governed::Contradicts, root(), length(17));
		assert_all_raised("Governed", &[]);
	});
}
