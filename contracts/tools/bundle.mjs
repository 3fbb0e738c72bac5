#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Writes one JSON file with everything the node needs to deploy and talk to the contracts: node tools/bundle.mjs OUT.json
// Run `forge build` before. The output depends on the compiled code and the locked packages only.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { keccak_256 } from '@noble/hashes/sha3.js'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const DEPLOYER = '0x4e59b44847b379578588920ca78fbf26c0b4956c'
const ZERO_SALT = '0x' + '00'.repeat(32)
// EntryPoints are the published artifacts at their canonical addresses, never recompiled.
const ENTRY_POINTS = {
  0.7: {
    package: 'aa07',
    address: '0x0000000071727de22e5e9d8baf0edac6f37da032',
    salt: '0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3',
  },
  0.8: {
    package: '@account-abstraction/contracts',
    address: '0x4337084d9e255ff0702461cf8895ce9e3b5ff108',
    salt: '0x0a59dbff790c23c976a548690c27297883cc66b4c67024f9117b0238995e35e9',
  },
}
// The ERC-1967 proxy that the factory deploys is these bytes around the implementation's address.
const PROXY_PREFIX = '0x603d3d8160223d3973'
const PROXY_SUFFIX =
  '0x60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3'
// The minimal proxy (ERC-1167, solady's order of the same instructions) of a multisig.
const CLONE_PREFIX = '0x602c3d8160093d39f33d3d3d3d363d3d37363d73'
const CLONE_SUFFIX = '0x5af43d3d93803e602a57fd5bf3'

const bytes = (...hex) => Buffer.from(hex.map((h) => h.replace(/^0x/, '')).join(''), 'hex')
const keccak = (...hex) => '0x' + Buffer.from(keccak_256(bytes(...hex))).toString('hex')
const word = (address) => '00'.repeat(12) + address.slice(2)
const create2 = (from, salt, initCode) => '0x' + keccak('0xff', from, salt, keccak(initCode)).slice(26)
// RLP of [address, 1]: the first contract that a contract makes (EIP-161 starts nonces at 1). The factory makes the
// implementation, the implementation its reader.
const firstChild = (from) => '0x' + keccak('d694', from, '01').slice(26)
const readJson = (...parts) => JSON.parse(fs.readFileSync(path.join(root, ...parts), 'utf8'))
const npmArtifact = (name, contract) => readJson('node_modules', name, 'artifacts', `${contract}.json`)
const packageVersion = (name) => readJson('node_modules', name, 'package.json').version

function compiled(file, contract) {
  const artifact = readJson('out', file, `${contract}.json`)
  const initCode = artifact.bytecode.object
  if (!/^0x[0-9a-f]+$/.test(initCode)) throw new Error(`${contract} needs linking`)
  const constructor = artifact.abi.find((entry) => entry.type === 'constructor')
  return {
    initCode,
    constructor: (constructor?.inputs ?? []).map((input) => `${input.type} ${input.name}`),
    runtimeBytes: bytes(artifact.deployedBytecode.object).length,
    abi: artifact.abi,
  }
}

function entryPoint({ package: name, address, salt }) {
  const { bytecode, abi } = npmArtifact(name, 'EntryPoint')
  const made = create2(DEPLOYER, salt, bytecode)
  if (made !== address) throw new Error(`EntryPoint of ${name} would land at ${made}, not at ${address}`)
  return { address, salt, initCode: bytecode, abi, package: `@account-abstraction/contracts@${packageVersion(name)}` }
}

function simulations({ package: name }) {
  const { bytecode, deployedBytecode, abi } = npmArtifact(name, 'EntryPointSimulations')
  return { initCode: bytecode, runtime: deployedBytecode, abi }
}

function simpleAccountFactory({ package: name, address }) {
  const { bytecode, abi } = npmArtifact(name, 'SimpleAccountFactory')
  return {
    initCode: bytecode,
    constructor: ['address entryPoint'],
    address: create2(DEPLOYER, ZERO_SALT, bytecode + word(address)),
    abi,
    accountAbi: npmArtifact(name, 'SimpleAccount').abi,
  }
}

// Addresses of what has the same constructor arguments on every chain, made by the deterministic deployer with salt 0.
function addresses(contracts) {
  const p256Verifier = create2(DEPLOYER, ZERO_SALT, contracts.P256Verifier.initCode)
  const factories = {}
  for (const [version, { address }] of Object.entries(ENTRY_POINTS)) {
    const initCode = contracts.CommunityAccountFactory.initCode + word(address) + word(p256Verifier)
    const factory = create2(DEPLOYER, ZERO_SALT, initCode)
    const implementation = firstChild(factory)
    const proxyInitCodeHash = keccak(PROXY_PREFIX, implementation, PROXY_SUFFIX)
    factories[version] = { factory, implementation, reader: firstChild(implementation), proxyInitCodeHash }
  }
  return { p256Verifier, factories, multisig: multisigAddresses(contracts) }
}

// No constructor arguments: one factory a chain, whatever its EntryPoint.
function multisigAddresses({ CommunityMultisigFactory, PasskeyVerifier }) {
  const factory = create2(DEPLOYER, ZERO_SALT, CommunityMultisigFactory.initCode)
  const implementation = firstChild(factory)
  const passkeyVerifier = create2(DEPLOYER, ZERO_SALT, PasskeyVerifier.initCode)
  const proxyInitCodeHash = keccak(CLONE_PREFIX, implementation, CLONE_SUFFIX)
  return { factory, implementation, proxyInitCodeHash, passkeyVerifier }
}

function compiler() {
  const { compiler: used, settings } = readJson('out', 'CommunityAccount.sol', 'CommunityAccount.json').metadata
  const { optimizer, evmVersion, viaIR, metadata } = settings
  return { solc: used.version, evmVersion, viaIR, optimizer, metadata }
}

const map = (object, make) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, make(value)]))

const out = process.argv[2]
if (!out) throw new Error('usage: bundle.mjs OUT.json')
const contracts = {
  P256Verifier: compiled('P256Verifier.sol', 'P256Verifier'),
  CommunityAccountFactory: compiled('CommunityAccountFactory.sol', 'CommunityAccountFactory'),
  CommunityAccount: compiled('CommunityAccount.sol', 'CommunityAccount'),
  AccountReader: compiled('AccountReader.sol', 'AccountReader'),
  CommunityPaymaster: compiled('CommunityPaymaster.sol', 'CommunityPaymaster'),
  CommunityMultisigFactory: compiled('CommunityMultisigFactory.sol', 'CommunityMultisigFactory'),
  CommunityMultisig: compiled('CommunityMultisig.sol', 'CommunityMultisig'),
  PasskeyVerifier: compiled('PasskeyVerifier.sol', 'PasskeyVerifier'),
}
const bundle = {
  format: 1,
  deployer: { address: DEPLOYER, callData: 'salt (32) || init code || constructor arguments' },
  entryPoints: map(ENTRY_POINTS, entryPoint),
  simulations: map(ENTRY_POINTS, simulations),
  contracts,
  addresses: { salt: ZERO_SALT, ...addresses(contracts) },
  proxy: {
    standard: 'ERC-1967',
    initCode: { prefix: PROXY_PREFIX, implementation: 'address (20)', suffix: PROXY_SUFFIX },
    account: 'keccak256(0xff || factory || keccak256(initData) || keccak256(initCode))[12:]',
  },
  samples: {
    SimpleAccountFactory: map(ENTRY_POINTS, simpleAccountFactory),
    TestToken: compiled('TestTokens.sol', 'TestToken'),
    TestCollectible: compiled('TestTokens.sol', 'TestCollectible'),
    TestItems: compiled('TestTokens.sol', 'TestItems'),
  },
  compiler: compiler(),
}
fs.writeFileSync(out, JSON.stringify(bundle, null, 1) + '\n')
