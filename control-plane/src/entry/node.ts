export { migrateDatabase } from './node/migrate-database.ts';
export { signToken } from './node/sign-token.ts';
export { signingKeyFile } from './node/signing-key-file.ts';
export {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
} from './node/start-control-plane.ts';
