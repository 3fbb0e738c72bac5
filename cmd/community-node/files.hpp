// SPDX-License-Identifier: Apache-2.0
// Files only this user may read.
#pragma once
#include <filesystem>

#include "community/core/bytes.hpp"
#include "community/infra/api/error.hpp"

namespace community::node {

infra::Result<void> make_private_folder(const std::filesystem::path& folder);
// Whole or not at all: temporary file, fsync, rename.
infra::Result<void> write_private_file(const std::filesystem::path& path, core::ByteView bytes);
infra::Result<core::Bytes> read_private_file(const std::filesystem::path& path);
// Holds the lock as long as the process lives; locked when another node uses the folder.
infra::Result<void> lock_folder(const std::filesystem::path& folder);

}  // namespace community::node
