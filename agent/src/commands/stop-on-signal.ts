/**
 * Ctrl-C and SIGTERM in two steps: the first ends things properly, the second at once. A third ends the
 * process whatever state it is in.
 */
export function stopOnSignal(first: () => void, second: () => void): { signalled(): number; remove(): void } {
  let count = 0;
  const onSignal = () => {
    count++;
    if (count === 1) first();
    else if (count === 2) second();
    else process.exit(1);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signalled: () => count,
    remove() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
