-- 5 GB of mixed data with a fixed seed, beside pgbench's tables of scale 100 (1.5 GB):
--   documents   1.3 GB  text that compresses about fourfold, with an index on its title
--   noise       0.8 GB  bytea that does not compress (digests of a counter)
--   events      1.1 GB  jsonb, with a GIN index
--   orders      0.4 GB  narrow rows, four indexes
--   small_*     2000 tables of a page or two, each with its primary key: many small files
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';
SET jit = off;
SELECT setseed(0.5);

CREATE TABLE words AS SELECT i AS id, substr(md5(i::text), 1, 3 + i % 7) AS word FROM generate_series(0, 4095) i;
CREATE TABLE sentences AS
    SELECT s AS id, (SELECT string_agg(word, ' ' ORDER BY id) FROM words WHERE id >= (s * 37) % 4000 AND id < (s * 37) % 4000 + 60) AS text
    FROM generate_series(0, 1023) s;

CREATE TABLE documents (id bigint, title text, body text);
ALTER TABLE documents ALTER body SET STORAGE EXTERNAL;
INSERT INTO documents
    SELECT i, md5((i * 3)::text), a.text || ' ' || b.text || ' ' || i || ' ' || c.text
    FROM generate_series(1, 820000) i
    JOIN sentences a ON a.id = i % 1024
    JOIN sentences b ON b.id = (i / 7) % 1024
    JOIN sentences c ON c.id = (i / 61) % 1024;
CREATE INDEX ON documents (title);

CREATE TABLE noise (id bigint, content bytea);
ALTER TABLE noise ALTER content SET STORAGE EXTERNAL;
INSERT INTO noise
    SELECT i, sha512((i || 'a')::bytea) || sha512((i || 'b')::bytea) || sha512((i || 'c')::bytea) || sha512((i || 'd')::bytea)
           || sha512((i || 'e')::bytea) || sha512((i || 'f')::bytea) || sha512((i || 'g')::bytea) || sha512((i || 'h')::bytea)
    FROM generate_series(1, 1400000) i;

CREATE TABLE events (id bigint, at timestamptz, payload jsonb);
INSERT INTO events
    SELECT i, timestamptz '2020-01-01 00:00Z' + i * interval '7 seconds',
           jsonb_build_object('user', i % 50021, 'kind', (ARRAY['click', 'view', 'order', 'refund'])[1 + i % 4],
                              'session', md5((i / 10)::text), 'amount', round((random() * 1000)::numeric, 2),
                              'tags', jsonb_build_array(w.word, x.word), 'agent', 'Mozilla/5.0 (X11; Linux x86_64) ' || w.word)
    FROM generate_series(1, 3000000) i
    JOIN words w ON w.id = i % 4096
    JOIN words x ON x.id = (i / 4096) % 4096;
CREATE INDEX ON events USING gin (payload jsonb_path_ops) WHERE id % 10 = 0;

CREATE TABLE orders (id bigint PRIMARY KEY, customer int, amount numeric(12, 2), placed timestamptz);
INSERT INTO orders
    SELECT i, (random() * 100000)::int, round((random() * 500)::numeric, 2), timestamptz '2021-01-01 00:00Z' + random() * interval '900 days'
    FROM generate_series(1, 2500000) i;
CREATE INDEX ON orders (customer);
CREATE INDEX ON orders (placed);
CREATE INDEX ON orders (amount);

DO $$
BEGIN
    FOR n IN 1..2000 LOOP
        EXECUTE format('CREATE TABLE small_%s (id int PRIMARY KEY, name text)', n);
        EXECUTE format('INSERT INTO small_%s SELECT i, md5(i::text) FROM generate_series(1, %s) i', n, 1 + n % 200);
        IF n % 200 = 0 THEN COMMIT; END IF;  -- the lock table is small
    END LOOP;
END
$$;
