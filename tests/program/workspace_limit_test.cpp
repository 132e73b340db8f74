#include "runtime/program/workspace_limit.h"

#include <gtest/gtest.h>

#include <string>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;

constexpr uint64_t kMega = uint64_t{1} << 20;

/// 1 M and 2 M for each sample.
uint64_t needed(int64_t batch) { return kMega + 2 * kMega * static_cast<uint64_t>(batch); }

uint64_t parsed(const std::string& text) {
  CLI::App app;
  uint64_t bytes = 0;
  add_workspace_limit_to(app, bytes);
  app.parse("--workspace-limit " + text);
  return bytes;
}

TEST(WorkspaceLimit, TakesBytesAndUnits) {
  EXPECT_EQ(parsed("500000"), 500000u);
  EXPECT_EQ(parsed("64M"), 64 * kMega);
  EXPECT_EQ(parsed("3k"), 3072u);
  EXPECT_EQ(parsed("2G"), 2048 * kMega);
  for (const char* wrong :
       {"0", "-1", "64MB", "M", "1.5M", "64T", "99999999999999999999", "18446744073709551615G"}) {
    EXPECT_THROW(parsed(wrong), CLI::ValidationError) << wrong;
  }
}

TEST(WorkspaceLimit, LetsPassWhatFits) {
  check_workspace_limit(0, "network 'a'", 1 << 20, needed);
  check_workspace_limit(3 * kMega, "network 'a'", 1, needed);
}

TEST(WorkspaceLimit, SaysWhatIsNeededAndWhichBatchFits) {
  expect_error<UserError>(
      [] { check_workspace_limit(16 * kMega, "network 'a'", 100, needed); },
      "network 'a': the workspace of batch 100 needs 210763776 bytes (201.0 M), --workspace-limit "
      "is 16777216 bytes (16.0 M)\n  hint: a batch of 7 needs 15728640 bytes (15.0 M)");
  expect_error<UserError>([] { check_workspace_limit(kMega, "network 'a'", 8, needed); },
                          "hint: even a batch of 1 needs 3145728 bytes (3.0 M)");
  expect_error<UserError>([] { check_workspace_limit(kMega, "network 'a'", 1, needed); },
                          "the workspace of batch 1 needs 3145728 bytes (3.0 M)",
                          "hint: each further sample of a batch takes 2097152 bytes (2.0 M) more");
}

}  // namespace
}  // namespace halcyon::runtime
