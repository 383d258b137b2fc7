#include "index/store/store_takeover.h"

#include <fmt/format.h>
#include <rocksdb/db.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "face/base/log.h"
#include "index/store/envelope.h"
#include "index/store/key_codec.h"
#include "index/store/key_range.h"
#include "index/store/store_batch.h"
#include "index/store/store_reading.h"

namespace facegate {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kQuiet(2);  // nothing is told of what takes less
constexpr std::chrono::seconds kBetweenLines(5);

// Templates had such keys before they had generations: collection:u64 identity:u64 template:u64.
std::optional<TemplateKey> DecodeOldKey(std::string_view row) {
  const std::optional<FaceKey> key = DecodeCropKey(row);
  if (!key.has_value()) return std::nullopt;
  return TemplateKey{.owner = key->owner, .generation = 0, .template_id = key->template_id};
}

uint64_t NumberOf(const StoreDatabase& database, const std::string& property) {
  uint64_t number = 0;
  database.db().GetIntProperty(database.HandleOf(Family::kTemplates), property, &number);
  return number;
}

// The templates of one store.
class Takeover {
 public:
  Takeover(StoreDatabase& database, uint32_t version, const TakeoverOptions& options)
      : database_(database),
        version_(version),
        options_(options),
        expected_(NumberOf(database, rocksdb::DB::Properties::kEstimateNumKeys)),
        begin_(steady_clock::now()),
        next_line_(begin_ + kQuiet) {}

  Status Run() {
    for (;;) {
      StoreBatch batch(database_);
      FACEGATE_ASSIGN_OR_RETURN(const size_t count, Fill(batch));
      if (count == 0) break;
      if (options_.before_batch) FACEGATE_RETURN_IF_ERROR(options_.before_batch());
      FACEGATE_RETURN_IF_ERROR(Write(batch));
      done_ += count;
      TellProgress();
    }
    LogInfo("store: taken over from format {}: {} templates have new keys, after {:.2f} s",
            version_, done_, Seconds());
    return OkStatus();
  }

 private:
  // Adds the next templates; how many.
  StatusOr<size_t> Fill(StoreBatch& batch) {
    size_t count = 0;
    size_t bytes = 0;
    Status full = Unavailable("the batch is full");  // ends the reading
    const auto add = [&](std::string_view row, std::string_view value) -> Status {
      if (bytes >= options_.batch_bytes) return full;
      if (DecodeTemplateKey(row).has_value()) return OkStatus();
      const std::optional<TemplateKey> key = DecodeOldKey(row);
      if (!key.has_value()) return NoSuchKey(Family::kTemplates, row);
      const auto payload = OpenEnvelope(Family::kTemplates, row, value);
      if (!payload.ok()) return Annotate(payload.status(), DescribeKey(*key));
      FACEGATE_RETURN_IF_ERROR(batch.Delete(Family::kTemplates, std::string(row)));
      FACEGATE_RETURN_IF_ERROR(
          batch.Put(Family::kTemplates, EncodeTemplateKey(*key), std::string(*payload)));
      bytes += value.size();
      count += 1;
      from_.assign(row);
      return OkStatus();
    };
    const Status read =
        VisitRows(database_, Family::kTemplates, {.begin = from_, .end = {}}, kScanReadAhead, add);
    if (!read.ok() && read != full) return read;
    return count;
  }

  Status Write(StoreBatch& batch) {
    Status written =
        database_.Write(batch.writes(), "taking over templates", StoreDatabase::Kind::kAdds);
    if (ReasonOf(written) != Reason::kStoreFull) return written;
    const uint64_t bytes = NumberOf(database_, rocksdb::DB::Properties::kEstimateLiveDataSize);
    return Refuse(Reason::kStoreFull,
                  fmt::format("the disk is full: of about {} templates of format {}, {} have new "
                              "keys; when about {} MiB are free, the next opening goes on",
                              expected_, version_, done_, (bytes >> 20) + 100));
  }

  void TellProgress() {
    if (steady_clock::now() < next_line_) return;
    next_line_ = steady_clock::now() + kBetweenLines;
    LogInfo("store: taking over format {}: {} of about {} templates have new keys, after {:.0f} s",
            version_, done_, expected_, Seconds());
  }

  double Seconds() const {
    return std::chrono::duration<double>(steady_clock::now() - begin_).count();
  }

  StoreDatabase& database_;
  const uint32_t version_;
  const TakeoverOptions& options_;
  const uint64_t expected_;
  const steady_clock::time_point begin_;
  steady_clock::time_point next_line_;
  std::string from_;  // the last old key that was taken
  size_t done_ = 0;
};

}  // namespace

Status TakeOverTemplates(StoreDatabase& database, uint32_t version,
                         const TakeoverOptions& options) {
  return Takeover(database, version, options).Run();
}

}  // namespace facegate
