// The token bucket: a burst of one second's worth, then the rate, and nothing saved up beyond the burst.
import t from 'tap'
import { TokenBucket } from '../../../napt/answers/token-bucket.js'

/** How many of `tries` were granted at `now`. */
const granted = (bucket: TokenBucket, now: number, tries = 100): number => Array.from({ length: tries }, () => bucket.take(now)).filter(Boolean).length

t.test('a burst, then the rate', async t => {
  const bucket = new TokenBucket(10, 1000)
  t.equal(granted(bucket, 1000), 10)
  t.equal(granted(bucket, 1099), 0)
  t.equal(granted(bucket, 1100), 1)
  t.equal(granted(bucket, 1600), 5)
  t.equal(granted(bucket, 99_000), 10, 'silence saves up no more than a second\'s worth')
})

t.test('over a long time the rate holds, however often it is asked', async t => {
  const bucket = new TokenBucket(7, 0)
  let sum = 0
  for (let now = 0; now <= 60_000; now++) sum += granted(bucket, now, 2)
  t.ok(sum >= 7 * 61 - 1 && sum <= 7 * 61, `${sum} in 60 s`)
})

t.test('a rate of 0 grants nothing; the rate can change', async t => {
  const bucket = new TokenBucket(0, 0)
  t.equal(granted(bucket, 5000), 0)
  bucket.change(4)
  t.equal(granted(bucket, 5500), 2, 'a higher rate fills from then on')
  bucket.change(100)
  t.equal(granted(bucket, 10_000, 200), 100)
  const full = new TokenBucket(100, 0)
  full.change(3)
  t.equal(granted(full, 0), 3, 'a lower rate lowers the burst at once')
})
