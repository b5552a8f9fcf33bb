/** How many times as many random cases as usual: `cargo xtask test --full` sets CARDSEAL_EFFORT. */
export const EFFORT = Number(process.env.CARDSEAL_EFFORT ?? 1);
