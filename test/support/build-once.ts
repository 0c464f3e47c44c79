import { buildPlanfleet } from '../tools/build.mjs';

/** The end-to-end tests run the built binary, so the build is made anew before any test starts. */
export default async function setup(): Promise<void> {
  await buildPlanfleet();
}
