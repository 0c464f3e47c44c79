/** The name of a task in the path of its log: what is no letter, digit, dash or underscore becomes one. */
export function logName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 120);
  return safe === '' ? '_' : safe;
}
