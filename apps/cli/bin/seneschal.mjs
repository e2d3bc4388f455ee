#!/usr/bin/env node
import '../../../tools/seneschal.mjs';
