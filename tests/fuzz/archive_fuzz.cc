// Zip and tar archives: any bytes are an archive or are refused, what is read of a member has the
// size that the archive says, and no two members are made of the same bytes. Sums of tar's headers
// are mended, so that what lies behind them is reached.
#include <algorithm>

#include "face/base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/set_bytes.h"
#include "trainer/photos/tar_archive.h"
#include "trainer/photos/zip_archive.h"

namespace facegate {
namespace {

constexpr size_t kMost = 1 << 20;  // of a member

void CheckStatus(const Status& status) {
  FACEGATE_CHECK(status.code() == StatusCode::kInvalidArgument ||
                 status.code() == StatusCode::kDataLoss);
}

void ReadZip(std::string_view bytes) {
  LeftOut left_out;
  const StatusOr<std::vector<ArchiveMember>> members = ListZip(bytes, left_out);
  if (!members.ok()) {
    CheckStatus(members.status());
    return;
  }
  uint64_t stored = 0;
  for (const ArchiveMember& member : *members) {
    stored += member.stored_bytes;
    const StatusOr<std::string> read = ReadZipMember(bytes, member, kMost);
    if (!read.ok()) {
      CheckStatus(read.status());
    } else {
      FACEGATE_CHECK(read->size() == std::min<uint64_t>(member.bytes, kMost));
    }
  }
  FACEGATE_CHECK(stored <= bytes.size());
}

void ReadTar(std::string_view bytes) {
  LeftOut left_out;
  const StatusOr<std::vector<ArchiveMember>> members = ListTar(bytes, left_out);
  if (!members.ok()) {
    CheckStatus(members.status());
    return;
  }
  uint64_t end = 0;
  for (const ArchiveMember& member : *members) {
    FACEGATE_CHECK(member.offset >= end && member.bytes <= bytes.size() - member.offset);
    end = member.offset + member.bytes;
  }
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = facegate::AsText(data, size);
  facegate::ReadZip(bytes);
  facegate::ReadTar(bytes);
  const facegate::ExactCopy mended(facegate::WithTarSums(std::string(bytes)));
  facegate::ReadTar(mended.view());
  return 0;
}
