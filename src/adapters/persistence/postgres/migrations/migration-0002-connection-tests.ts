// What we know of a connection besides its state: its certificates, and how its last test went.

import { Migration } from '@mikro-orm/migrations';

export class Migration0002ConnectionTests extends Migration {
  override up(): void {
    this.addSql(`alter table connections
      add column certificates jsonb not null default '[]',
      add column last_test jsonb`);
  }
}
