package listing

import (
	"strings"
	"unicode/utf8"
)

// monthNames holds the months as ls(1) prints them in several languages, in
// lower case, twelve a line. A slash separates ways to write one. What is short
// for two months, as "jui" is in French, is not there.
var monthNames = []string{
	/* English    */ "jan/january feb/february mar/march apr/april may jun/june jul/july aug/august sep/sept/september oct/october nov/november dec/december",
	/* German     */ "jan/januar/jän feb/februar mär/mrz/märz apr/april mai jun/juni jul/juli aug/august sep/sept/september okt/oktober nov/november dez/dezember",
	/* French     */ "jan/janv/janvier fév/févr/février/fev/fevr mar/mars avr/avril mai juin jul/juil/juillet aoû/août/aou/aout sep/sept oct nov déc/dec",
	/* Spanish    */ "ene/enero feb/febrero mar/mzo/marzo abr/abril may/mayo jun/junio jul/julio ago/agosto sep/sept/septiembre oct/octubre nov/noviembre dic/diciembre",
	/* Italian    */ "gen/gennaio feb/febbraio mar/marzo apr/aprile mag/maggio giu/giugno lug/luglio ago/agosto set/settembre ott/ottobre nov/novembre dic/dicembre",
	/* Portuguese */ "jan/janeiro fev/fevereiro mar/março abr/abril mai/maio jun/junho jul/julho ago/agosto set/setembro out/outubro nov/novembro dez/dezembro",
	/* Dutch      */ "jan/januari feb/februari mrt/maart/maa apr/april mei jun/juni jul/juli aug/augustus sep/sept/september okt/oktober nov/november dec/december",
	/* Swedish    */ "jan/januari feb/februari mar/mars apr/april maj jun/juni jul/juli aug/augusti sep/sept/september okt/oktober nov/november dec/december",
	/* Danish     */ "jan/januar feb/februar mar/marts apr/april maj jun/juni jul/juli aug/august sep/sept/september okt/oktober nov/november dec/december",
	/* Norwegian  */ "jan/januar feb/februar mar/mars apr/april mai jun/juni jul/juli aug/august sep/sept/september okt/oktober nov/november des/desember",
	/* Finnish    */ "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
	/* Polish     */ "sty/stycznia lut/lutego mar/marca kwi/kwietnia maj/maja cze/czerwca lip/lipca sie/sierpnia wrz/września paź/października/paz lis/listopada gru/grudnia",
	/* Russian    */ "янв/января фев/февраля мар/марта апр/апреля май/мая июн/июня июл/июля авг/августа сен/сентября окт/октября ноя/ноября дек/декабря",
}

// months holds the number of each of these words, in UTF-8 and in the 8-bit
// alphabets in which older servers write them. A word that would mean two is
// not there.
var months = func() map[string]int {
	found := make(map[string]int)
	for _, year := range monthNames {
		for i, names := range strings.Fields(year) {
			for name := range strings.SplitSeq(names, "/") {
				for _, written := range spellings(name) {
					if other, ok := found[written]; ok && other != i+1 {
						found[written] = 0
						continue
					}
					found[written] = i + 1
				}
			}
		}
	}
	return found
}()

// spellings returns name in UTF-8 and in each alphabet that has its letters.
func spellings(name string) []string {
	all := []string{name}
	for _, letter := range alphabets {
		var b []byte
		for _, r := range name {
			if r >= utf8.RuneSelf {
				r = rune(letter(r))
			}
			if b = append(b, byte(r)); r == 0 {
				b = nil
				break
			}
		}
		if b != nil && string(b) != name {
			all = append(all, string(b))
		}
	}
	return all
}

// alphabets return the byte for a letter that is not of ASCII, or 0.
var alphabets = []func(r rune) byte{
	func(r rune) byte { // ISO 8859-1, and as far as months go -9, -15 and Windows-1252
		if r < 0x100 {
			return byte(r)
		}
		return 0
	},
	func(r rune) byte { return map[rune]byte{'ź': 0xbc, 'ś': 0xb6}[r] }, // ISO 8859-2
	func(r rune) byte { return map[rune]byte{'ź': 0x9f, 'ś': 0x9c}[r] }, // Windows-1250
	func(r rune) byte { return cyrillic(r, 0xe0, 0xf0) },                // Windows-1251
	func(r rune) byte { return cyrillic(r, 0xd0, 0xe0) },                // ISO 8859-5
	func(r rune) byte { return cyrillic(r, 0xa0, 0xe0) },                // code page 866
	func(r rune) byte { // KOI8-R
		const order = "юабцдефгхийклмнопярстужвьызшэщчъ"
		if i := strings.IndexRune(order, r); i >= 0 {
			return byte(0xc0 + i/2)
		}
		return 0
	},
}

// cyrillic returns the letter of an alphabet that has the first sixteen small
// letters from one byte on and the others from another.
func cyrillic(r rune, first, second byte) byte {
	switch {
	case r >= 'а' && r <= 'п':
		return first + byte(r-'а')
	case r >= 'р' && r <= 'я':
		return second + byte(r-'р')
	default:
		return 0
	}
}

// A date of East Asia has a number and a sign for each part. The signs are in
// UTF-8, Shift JIS, EUC-JP, GBK, Big5, and, for Korean, UTF-8 and EUC-KR.
var (
	yearSigns  = []string{"年", "\x94\x4e", "\xc7\xaf", "\xc4\xea", "\xa6\x7e", "년", "\xb3\xe2"}
	monthSigns = []string{"月", "\x8c\x8e", "\xb7\xee", "\xd4\xc2", "\xa4\xeb", "월", "\xbf\xf9"}
	daySigns   = []string{"日", "\x93\xfa", "\xc6\xfc", "\xc8\xd5", "\xa4\xe9", "일", "\xc0\xcf"}
)

// signed cuts one of the signs off the end of s.
func signed(s string, signs []string) (string, bool) {
	for _, sign := range signs {
		if bare, ok := strings.CutSuffix(s, sign); ok {
			return bare, true
		}
	}
	return s, false
}

// parseMonth reads the name of a month, or its number with a sign.
func parseMonth(s string) (int, bool) {
	s = strings.TrimRight(s, ".,")
	if number, ok := signed(s, monthSigns); ok {
		n, ok := parseSmall(number, 2)
		return n, ok && n >= 1 && n <= 12
	}
	n := months[lower(s)]
	return n, n != 0
}

// lower returns s in lower case. strings.ToLower would replace the letters of
// 8-bit alphabets.
func lower(s string) string {
	if utf8.ValidString(s) {
		return strings.ToLower(s)
	}
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
