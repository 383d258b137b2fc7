#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "face/base/mutex.h"

namespace facegate {

// Room on the disk that is kept for deletions: whoever asks to be erased must be erased on a full
// disk, too. While little is free, changes that add are refused before they are written, so that
// the database does not meet the full disk; a file of the store's own keeps room that other
// programs would take, and is given up for the first deletion that needs it. Thread-safe.
class DiskRoom {
 public:
  static constexpr char kFile[] = "RESERVE";
  static constexpr uint64_t kReserved = uint64_t{64} << 20;  // the file; less on a small disk
  // RocksDB wants as much before it goes on after a full disk; less on a small disk.
  static constexpr uint64_t kMargin = uint64_t{32} << 20;

  explicit DiskRoom(const std::string& directory);

  // True when a change that adds may be written.
  bool ForMore();
  // Gives the file up where nothing else is free; to be called before a change that takes away.
  void FreeForLess();
  // Makes the file, or makes it again, where there is room for it; to be called now and then.
  void Keep();

 private:
  struct Space {
    uint64_t free = 0;
    uint64_t margin = 0;
    uint64_t reserved = 0;
  };
  // Asks the disk; where it says nothing, the answer is as much as one could want.
  Space Look() const;
  bool Remove() const;

  const std::string directory_;
  const std::string path_;

  Mutex file_mutex_;  // of those who make and remove the file; nobody else waits for it
  std::atomic<bool> kept_ = false;
};

}  // namespace facegate
