// Seeds for lists_fuzz.cc: lists of photos and of pairs as text.
#include "tests/fuzz/seeds.h"

namespace facegate {

std::vector<Seed> ListsSeeds() {
  using namespace std::string_literals;
  return {{"photos", "ia b/1.jpg 7\nc.jpg 8\n"},
          {"photos_csv", "ipath,label\r\n\"a, b.jpg\",x\r\n,y\r\n"},
          {"photos_semicolon", "i0;a b.jpg\n12;c.jpg\n"},
          {"photos_utf16", "i\xff\xfe"s + "a\0 \0001\0\n\0"s},
          {"pairs", "pa.jpg b.jpg 1\na.jpg c.jpg 0\n"},
          {"pairs_lfw", "p2\t1\nAnn\t1\t2\nAnn\t1\tBob\t3\nBob\t1\t3\nBob\t2\tAnn\t1\n"},
          {"pairs_header", "pa,b,same_gender,same\nx.jpg,y.jpg,1,no\nx.jpg,z.jpg,0,yes\n"},
          {"pairs_large_number", "pAnn 1 99999999999999999999\n"},
          {"template_pairs", "t1 2 1\n1 3 0\n"},
          {"template_subjects", "tTEMPLATE_ID,SUBJECT_ID,FILENAME\n1,7,a.jpg\n1,7,b.jpg\n2,8,c\n"},
          {"template_faces", "f1.jpg 1 5\n2.jpg 1 6\n"s + '\0' +
                                 "1.jpg 1 2 3 4 5 6 7 8 9 10 0.9\n2.jpg 1 2 3 4 5 6 7 8 9 10 1\n"},
          {"template_faces_not_finite",
           "f1.jpg 1 5\n"s + '\0' + "1.jpg nan 2 inf 4 5 6 7 8 9 1e999 -1\n"}};
}

}  // namespace facegate
