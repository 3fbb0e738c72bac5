// SPDX-License-Identifier: Apache-2.0
// Empty: cargo wants a library in a package; this one only names versions.
