// Amounts for people, and back.
import t from 'tap'
import { bytesText, rateText, readDuration, readSize, secondsText } from '../../lab/quantities.js'

t.test('amounts as text', async t => {
  const cases: [number, string][] = [
    [0, '0 B'], [999, '999 B'], [1000, '1.00 kB'], [1234, '1.23 kB'], [9999, '10.0 kB'], [99_950, '100.0 kB'], [999_949, '999.9 kB'], [999_950, '1.00 MB'],
    [104_857_600, '104.9 MB'], [2 ** 40, '1.10 TB'], [1e16, '10000.0 TB'],
  ]
  for (const [bytes, text] of cases) t.equal(bytesText(bytes), text)
  t.equal(rateText(12_345_678), '12.3 MB/s')
  t.equal(secondsText(0.4), '0.40 s')
})

t.test('sizes as they are typed', async t => {
  const good: [string, number][] = [
    ['100MB', 100e6], ['64MiB', 64 * 2 ** 20], ['1GB', 1e9], ['1.5GB', 1.5e9], ['0.1kB', 100], ['1.1MB', 1_100_000], ['4096', 4096], ['10 mb', 10e6], ['1kb', 1000], ['2KiB', 2048],
    ['7B', 7], ['1TiB', 2 ** 40], ['0', 0],
  ]
  for (const [text, bytes] of good) t.equal(readSize(text), bytes, text)
  for (const text of ['', 'MB', '100M', '-1MB', '1e6', '1,5GB', '100MBit', '1.5', '0.0001kB', 'lots', '1PB', '99999999999TB']) t.equal(readSize(text), null, text)
})

t.test('lengths of time', t => {
  for (const [text, milliseconds] of [['500ms', 500], ['10s', 10_000], ['1.5m', 90_000], ['2 min', 120_000], ['2h', 7_200_000]] as const) t.equal(readDuration(text), milliseconds, text)
  for (const text of ['', '10', 's', '-1s', '0s', '1d', 'ever', '1e3s']) t.equal(readDuration(text), null, text)
  t.end()
})
