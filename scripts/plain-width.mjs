// In place of the package string-width, which yargs asks how wide its help is (bundle.mjs). What is written here is of one column a
// character; the package loads the world's rules for where characters begin and end (`Intl.Segmenter`), 50 ms at every start.
import { stripVTControlCharacters } from 'node:util'

/** Columns. */
export default text => stripVTControlCharacters(text).length
