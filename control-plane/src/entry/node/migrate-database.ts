import { MIGRATIONS, migrate } from '../../store/migrate.ts';
import { openDatabase, prepareDataFolder } from './data-folder.ts';

/** Creates or upgrades the database of an installation; the names of what was applied now. */
export async function migrateDatabase(options: {
  data: string;
}): Promise<{ applied: string[]; version: number }> {
  const db = openDatabase(await prepareDataFolder(options.data));
  try {
    const applied = await migrate(db, Date.now());
    return { applied, version: MIGRATIONS.at(-1)?.version ?? 0 };
  } finally {
    await db.close();
  }
}
