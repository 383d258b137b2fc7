// TFRecord: any bytes are records or are refused, and any record is an example or is none. Sums
// that do not fit are mended first, so that what lies behind them is reached.
#include "face/base/check.h"
#include "face/base/coding.h"
#include "tests/fuzz/fuzz_input.h"
#include "trainer/photos/tf_record.h"

namespace facegate {
namespace {

bool IsWithin(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void ReadExample(std::string_view data) {
  const std::optional<TfExample> example = ParseTfExample(data);
  if (!example.has_value()) return;
  for (const std::string_view part : {example->encoded, example->path, example->filename}) {
    FACEGATE_CHECK(IsWithin(part, data));
  }
}

void Read(std::string_view bytes) {
  for (uint64_t offset = 0; offset < bytes.size();) {
    const StatusOr<TfRecordPlace> record = TfRecordAt(bytes, offset);
    if (!record.ok()) {
      FACEGATE_CHECK(record.status().code() == StatusCode::kDataLoss);
      return;
    }
    FACEGATE_CHECK(record->end > offset && record->end <= bytes.size());
    (void)CheckTfRecord(bytes, *record);
    ReadExample(record->data);
    offset = record->end;
  }
}

// The bytes with sums of lengths that fit, as far as the lengths lead anywhere.
std::string Mended(std::string bytes) {
  for (size_t offset = 0; bytes.size() - offset >= 16;) {
    const std::string length = bytes.substr(offset, 8);
    std::string sum;
    AppendLittleEndian(sum, MaskedCrc(Crc32c(length)));
    bytes.replace(offset + 8, 4, sum);
    std::string_view number = length;
    const uint64_t count = TakeLittleEndian<uint64_t>(number).value_or(0);
    if (count > bytes.size() - offset - 16) break;
    offset += 16 + count;
  }
  return bytes;
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = facegate::AsText(data, size);
  facegate::Read(bytes);
  facegate::ReadExample(bytes);
  const facegate::ExactCopy mended(facegate::Mended(std::string(bytes)));
  facegate::Read(mended.view());
  return 0;
}
