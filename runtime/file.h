#pragma once
/// Whole files in and out. Writing is atomic: a reader, or the next start after a crash, sees the
/// old file or the new one.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace halcyon::runtime {

inline constexpr uint64_t kFileLimitBytes = uint64_t{1} << 34;  ///< 16 GiB

/// Everything in a regular file.
/// Errors: UserError if the file is missing, not readable, not a regular file or above
/// `limit_bytes`; SystemError if reading or memory fails.
std::vector<std::byte> read_file(const std::string& path, uint64_t limit_bytes = kFileLimitBytes);

/// Replaces the file by `bytes`: temporary file beside it, fsync, rename, fsync of the folder. A
/// symbolic link is followed, an existing file keeps its mode. The temporary is named `path` +
/// ".partial", cut where that is too long; one that a killed process left is reused by the next
/// write, so at most one lies about.
/// Errors: UserError if `path` is empty or names something that is no regular file;
/// SystemError if writing fails, and then the file is as it was and the temporary is removed.
/// Threads: writers of one path wait for each other, across processes too.
void write_file_atomically(const std::string& path, std::span<const std::byte> bytes);

/// Finds out before long work what write_file_atomically would only find behind it.
/// Errors: UserError if `path` is empty or names something that is no regular file; SystemError if
/// its folder is missing or not to be written.
void check_can_write(const std::string& path);

/// A file that is going to be written, and what the user called it by: "--save".
struct PlannedFile {
  std::string name, path;
};

/// Errors: UserError if two of the files are the same one, so that the later would replace the
/// earlier. An empty path is no file.
void check_distinct(std::span<const PlannedFile> files);

}  // namespace halcyon::runtime
