import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';

export interface Guardian {
  /** The agent ends in order: the guardian goes without doing anything. */
  dismiss(): void;
}

/**
 * Waits for a line (all is well) or the end of its input (the agent is dead, however it died: the kernel
 * closes the pipe). Then it ends the groups in the agent's `running` folder whose leader is still the one
 * written there, and whatever carries a marker of the agent, until nothing is left; it stops as soon as
 * another agent has taken over the folder, which does the same before it starts anything.
 */
const SCRIPT = String.raw`
IFS= read -r _ && exit 0
running=$1 prefix=$2 lock=$3
boot=$(</proc/sys/kernel/random/boot_id)
owner=$(cat "$lock" 2>/dev/null)
for round in {1..30}; do
  found=
  for file in "$running"/*; do
    [ "$(cat "$lock" 2>/dev/null)" = "$owner" ] || exit 0
    record=$(cat "$file" 2>/dev/null) || continue
    [[ $record =~ \"pid\":([0-9]+),\"start_time\":\"([0-9]+)\",\"boot_id\":\"([^\"]*)\" ]] || continue
    pid=${'$'}{BASH_REMATCH[1]} start=${'$'}{BASH_REMATCH[2]}
    [ "${'$'}{BASH_REMATCH[3]}" = "$boot" ] || continue
    stat=$(cat "/proc/$pid/stat" 2>/dev/null) || continue
    set -- ${'$'}{stat##*) }
    [ "${'$'}{20}" = "$start" ] && kill -KILL -- "-$pid" 2>/dev/null && found=1
  done
  for file in $(grep -lzsa "^PLANFLEET_MARKER=$prefix" /proc/[0-9]*/environ); do
    [ "$(cat "$lock" 2>/dev/null)" = "$owner" ] || exit 0
    pid=${'$'}{file#/proc/}
    kill -KILL "${'$'}{pid%/environ}" 2>/dev/null && found=1
  done
  [ -n "$found" ] || exit 0
  sleep 0.1
done
`;

/**
 * Only with a shared directory, where the tasks of a dead agent would write the same files as the agent
 * that takes them over: ends them at once when this process dies. In a session of its own, so that what
 * ends the agent's group leaves it.
 */
export function startGuardian(data: string, markerPrefix: string, say: (message: string) => void): Guardian {
  const args = [join(data, 'running'), markerPrefix, join(data, 'agent.pid')];
  const child = spawn('bash', ['-c', SCRIPT, 'planfleet-guardian', ...args], {
    detached: true,
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  let isDismissed = false;
  child.once('error', (error) =>
    say(`The guardian of the shared directory cannot be started: ${error.message}`),
  );
  child.once('exit', () => {
    if (!isDismissed)
      say('The guardian of the shared directory was ended; kill -9 would leave tasks running');
  });
  // It may be gone already.
  child.stdin.on('error', () => undefined);
  // Neither keeps the agent from ending.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return {
    dismiss() {
      isDismissed = true;
      child.stdin.end('\n');
    },
  };
}
