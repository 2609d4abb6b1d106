// Times for people.

/** Seconds, rounded up, as in `2 h 4 min`, `4 min 12 s`, `59 s`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds), minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60)
  if (hours > 0) return `${hours} h ${minutes % 60} min`
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`
}
