// PackView: any bytes are a pack or are refused, reading touches nothing outside of them, and what
// was read and is written again reads back the same. Sums and digests that do not fit are mended
// first, so that what lies behind them is reached.
#include "face/base/check.h"
#include "face/base/coding.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/pack_bytes.h"
#include "trainer/photos/pack_format.h"

namespace facegate {
namespace {

void Read(std::string_view bytes) {
  const StatusOr<PackView> view = PackView::Parse(bytes);
  if (!view.ok()) {
    FACEGATE_CHECK(view.status().code() == StatusCode::kInvalidArgument ||
                   view.status().code() == StatusCode::kDataLoss);
    return;
  }
  std::vector<PackRecord> records;
  records.reserve(view->size());
  for (size_t i = 0; i < view->size(); ++i) {
    FACEGATE_CHECK(view->label(i) < view->classes().size());
    FACEGATE_CHECK(view->Name(i).size() <= kMaxPackNameBytes);
    const StatusOr<PackRecord> record = view->Record(i);
    if (!record.ok()) {
      FACEGATE_CHECK(record.status().code() == StatusCode::kDataLoss);
      return;
    }
    FACEGATE_CHECK(record->name == view->Name(i));
    records.push_back(*record);
  }
  const ExactCopy written(PackBytes(records, view->classes()));
  const StatusOr<PackView> again = PackView::Parse(written.view());
  FACEGATE_CHECK(again.ok() && again->size() == records.size());
  FACEGATE_CHECK(again->classes() == view->classes());
}

void Put(std::string& bytes, size_t at, uint32_t value) {
  std::string number;
  AppendLittleEndian(number, value);
  bytes.replace(at, number.size(), number);
}

// The bytes with sums that fit, as far as the numbers in them lead anywhere.
std::string Mended(std::string bytes) {
  if (bytes.size() < kPackHeaderBytes + kPackFooterBytes) return bytes;
  Put(bytes, kPackHeaderBytes - 4, Crc32c(bytes.substr(0, kPackHeaderBytes - 4)));
  const size_t footer = bytes.size() - kPackFooterBytes;
  std::string_view numbers = std::string_view(bytes).substr(footer + 16);
  const uint64_t index = TakeLittleEndian<uint64_t>(numbers).value_or(0);
  if (index <= footer) Put(bytes, footer + 32, Crc32c(bytes.substr(index, footer - index)));
  Put(bytes, bytes.size() - 12, Crc32c(bytes.substr(footer, kPackFooterBytes - 12)));
  return bytes;
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = facegate::AsText(data, size);
  facegate::Read(bytes);
  const facegate::ExactCopy mended(facegate::Mended(std::string(bytes)));
  facegate::Read(mended.view());
  // The scan of a pack that was begun.
  uint64_t offset = facegate::kPackHeaderBytes;
  for (;;) {
    const auto record = facegate::ReadPackRecord(bytes, offset, bytes.size());
    if (!record.ok()) break;
    FACEGATE_CHECK(record->end > offset && record->end <= bytes.size());
    offset = record->end;
  }
  return 0;
}
