/* SPDX-License-Identifier: Apache-2.0 */
/* Empty, in place of a header of the crate that s2n-bignum's assembly comes in. There it renames every symbol so that
   several versions can be linked into one program; this project has one and keeps the names of s2n-bignum. */
