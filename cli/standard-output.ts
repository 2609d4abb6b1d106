// Standard output as part of a pipeline.

/** When whoever reads has gone (`naptlab table 104a | head`), the rest is nobody's, and the program ends without a word. */
export function endWithItsReader(output: NodeJS.WriteStream): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
}
