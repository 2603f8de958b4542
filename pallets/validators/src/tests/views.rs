//! What clients are shown.

use crate::mock::*;
use millrace_primitives::validators::{EquivocationView, SeatView};
use sp_runtime::Perbill;

#[test]
fn everybody_sees_seats_and_what_they_take() {
	ExtBuilder::default()
		.bootstrap_stake(50)
		.build_and_execute(|| {
			stand(1, 50);
			set_stake(2, 8);
			rotate_by(3);
			write(1, 3);
			write(102, 5);
			Disabled::mutate(|all| all.push((103, Perbill::one())));
			let view = Validators::validators();
			assert_eq!(view.session, 3);
			assert!(view.bootstrapped);
			assert_eq!((view.total_stake, view.standing_stake), (58, 50));
			assert_eq!(view.bootstrap_stake, 50);
			// Half of the mean of 50 and itself, rounded up.
			assert_eq!(view.needed, 17);
			assert_eq!((view.max_validators, view.candidates), (100, 1));
			assert_eq!(view.expected, 2);
			let seat = |who, stake, authored, disabled| SeatView {
				who,
				stake,
				authored,
				disabled,
			};
			assert_eq!(
				view.seats,
				vec![
					seat(1, 50, 3, false),
					seat(102, 0, 5, false),
					seat(103, 0, 0, true),
					seat(104, 0, 0, false),
				]
			);
			assert_eq!(view.planned, vec![1, 102, 103, 104]);
		});
}

#[test]
fn an_account_sees_where_it_stands() {
	ExtBuilder::default().build_and_execute(|| {
		stand(1, 50);
		stand(2, 40);
		rotate_by(2);
		write_all_but(&[1], 20);
		rotate();
		write(102, 1);
		let view = Validators::validator(&1);
		assert_eq!((view.active_stake, view.rank), (50, Some(0)));
		assert_eq!(view.keys, Some(1u64.to_le_bytes().to_vec()));
		assert_eq!(view.silent_sessions, 1);
		assert_eq!((view.seated, view.disabled), (true, false));
		assert!(!view.planned, "it sits out");
		assert_eq!(view.banned_until, None);
		assert!(view.equivocations.is_empty());

		let view = Validators::validator(&2);
		assert_eq!((view.rank, view.silent_sessions), (Some(1), 0));
		assert!(view.planned);

		Validators::on_equivocation(&1, Perbill::from_percent(7), 2);
		let view = Validators::validator(&1);
		assert_eq!((view.rank, view.banned_until), (None, Some(27)));
		assert!(view.disabled);
		assert_eq!(
			view.equivocations,
			vec![EquivocationView {
				session: 2,
				epoch: 0,
				part: Perbill::from_percent(7),
			}]
		);

		let stranger = Validators::validator(&999);
		assert_eq!((stranger.active_stake, stranger.rank), (0, None));
		assert_eq!(stranger.keys, None);
		assert!(!stranger.seated && !stranger.planned && !stranger.disabled);
	});
}
