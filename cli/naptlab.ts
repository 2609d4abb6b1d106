#!/usr/bin/env node
// The program that people call; what it does is in command-line.ts.
import { pathToFileURL } from 'node:url'
import { programPath } from '../lab/program-path.js'

await import(pathToFileURL(programPath('cli/command-line')).href)
