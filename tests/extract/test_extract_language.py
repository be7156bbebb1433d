"""Languages: what is plainly not English is named, and English as officers write it never is."""

import pytest

from gateway.extract import extract, language_name
from gateway.model import Limits

FOREIGN = {
    "pl": "Chciałem zapytać, czy masz ochotę wyjść ze mną na kolację w sobotę wieczorem, tylko my dwoje.",
    "ro": "Aș vrea să ieșim împreună la o cafea sâmbătă seara, doar noi doi, dacă vrei și tu.",
    "ur": "کیا آپ ہفتے کی شام میرے ساتھ کھانے پر چلیں گی؟ صرف ہم دونوں، کسی کو نہ بتائیں۔",
    "pa": "ਕੀ ਤੁਸੀਂ ਸ਼ਨੀਵਾਰ ਸ਼ਾਮ ਨੂੰ ਮੇਰੇ ਨਾਲ ਖਾਣਾ ਖਾਣ ਚੱਲੋਗੇ? ਸਿਰਫ਼ ਅਸੀਂ ਦੋਵੇਂ।",
    "ar": "هل تودين الخروج معي لتناول العشاء مساء السبت، نحن الاثنان فقط؟",
    "bn": "আপনি কি শনিবার সন্ধ্যায় আমার সঙ্গে রাতের খাবার খেতে যাবেন? শুধু আমরা দুজন।",
    "gu": "શું તમે શનિવારે સાંજે મારી સાથે જમવા આવશો? ફક્ત આપણે બે જણ.",
    "hi": "क्या आप शनिवार की शाम मेरे साथ खाने पर चलेंगी? सिर्फ़ हम दोनों।",
    "ta": "சனிக்கிழமை மாலை என்னுடன் இரவு உணவிற்கு வருவீர்களா? நாம் இருவர் மட்டும்.",
    "fa": "آیا دوست داری شنبه شب با من برای شام بیرون بیایی؟ فقط ما دو نفر.",
    "pt": "Gostava muito de te convidar para jantar no sábado à noite, só nós os dois.",
    "es": "Me gustaría invitarte a cenar el sábado por la noche, solos tú y yo, si te apetece.",
    "fr": "J'aimerais beaucoup vous inviter à dîner samedi soir, rien que nous deux.",
    "it": "Mi piacerebbe portarti a cena sabato sera, solo noi due, se ti va.",
    "cy": "Hoffwn i dy wahodd di am swper nos Sadwrn, dim ond ni'n dau, os wyt ti'n rhydd.",
    "tr": "Cumartesi akşamı benimle yemeğe çıkmak ister misin, sadece ikimiz olalım?",
    "so": "Ma rabtaa inaad ila cashayso habeenka Sabtida, aniga iyo adiga oo keliya?",
    "lt": "Norėčiau pakviesti tave vakarienės šeštadienio vakarą, tik mudu du.",
    "hu": "Lenne kedved szombat este velem vacsorázni, csak mi ketten?",
    "sq": "A do të dalësh me mua për darkë të shtunën në mbrëmje, vetëm ne të dy?",
    "de": "Hättest du Lust, am Samstagabend mit mir essen zu gehen, nur wir beide?",
    "cs": "Chtěl bych tě pozvat v sobotu večer na večeři, jen my dva, pokud máš čas.",
    "ru": "Не хотите ли поужинать со мной в субботу вечером, только мы вдвоём?",
    "uk": "Чи не хочеш повечеряти зі мною в суботу ввечері, лише ми вдвох?",
    "bg": "Искаш ли да вечеряме заедно в събота вечер, само двамата?",
    "el": "Θα ήθελες να βγούμε για φαγητό το Σάββατο το βράδυ, μόνο οι δυο μας;",
    "zh": "星期六晚上你愿意和我一起吃晚饭吗？就我们两个人。",
    "und": "ቅዳሜ ማታ ከእኔ ጋር እራት ለመብላት ትፈልጊያለሽ? እኛ ሁለታችን ብቻ ነን እባክሽ።",
}

ENGLISH = [
    "Dear Ms Kowalczyk,\n\nThe file went to the CPS on Tuesday.\n\nKind regards\nDC Tomasz Nowak",
    "Hi Gwenllian, I'll be in Llanfairpwllgwyngyll on Tuesday and at Penrhyndeudraeth on Thursday for the statement.",
    "Ysbyty Gwynedd, Penrhosgarnedd\nLlandudno Junction, Conwy\nYstradgynlais",
    "ur statement is rdy 2 sign, can u pop in 2moro b4 5? ta, PC Hale",
    "hiya just 2 let u kno hes been charged, cud u ring me wen u get this pls thx",
    "THE HEARING IS LISTED FOR 10AM ON MONDAY. PLEASE BRING PHOTO ID.",
    "DC TOM HALE\nMAJOR CRIME UNIT\nNORTHSHIRE POLICE\nEXT 4471",
    "DC 1432 Tom Hale | Major Crime | Northshire Police | 07700 900123 | tom.hale@force.example",
    "Och aye, it's a wee bit dreich the day, but I'll get roond tae yer bit aboot fower.",
    "Ah cannae mak it the morn, hen, but wee Shona frae the office will gie ye a bell.",
    "Now then, love, thissen wants to get down t'station and sign summat for us.",
    "Y'alright our kid, giz a ring when yer home, it's nowt bad, just summat wi' the paperwork.",
    "Ey up duck, I were gonna nip round wi' that form but I've a job on ower at Clowne.",
    "Whey aye man, the lad's been lifted, gan canny and divvent worry aboot it.",
    "Alright my lover, where's that to then? I'll be down dreckly with the papers.",
    "Tidy, I'll be there now in a minute, butt. Lush that you could make it.",
    "Exhibit TH/1, TH/2, TH/3; URN 44AB1234526; MG11, MG5, MG6C; DVLA; ANPR; PNC; CPS.",
    "AB12 CDE, silver Vauxhall Astra; CD34 EFG, blue Skoda Octavia; EF56 GHI, black BMW X5.",
    "12 Acacia Avenue, Northmoor, NM1 4AB\n7b Harbour Street, Easthaven, EH3 9QQ\nFlat 3, 44 Castle Road",
    "Present: Ahmed Chaudhry, Agnieszka Wiśniewska, Siân Prydderch, José Fernandes, Nguyễn Thị Lan",
    "Interpreter booked: Mrs Wojciechowska (Polish). Intermediary: Dr Oyelaran-Adeyemi.",
    "Witnesses: Szymon Brzęczyszczykiewicz, Małgorzata Jędrzejczak, Zbigniew Przybyszewski.",
    "Court 3, Northmoor Crown Court, 2 Kings Court, Northmoor.",
    "see you monday x",
    "Thanks Jo. Received. Will do.",
    "Re the Nissan Qashqai: recovered, boxed, awaiting SOCO, then storage at Millgate.",
    "Injuries: bruising left orbit, abrasion right forearm, laceration scalp, haematoma thigh.",
    "Lorem reference only: Crown v Hussain, Regina v Abdirahman, R v Kowalski.",
    "Section 18 wounding, section 20 grievous bodily harm, section 47 assault occasioning actual bodily harm.",
    "The barrister may say prima facie, mens rea or voir dire. Ask me what any of it means.",
    "Your crime reference number is 44/12345/26. Call 101, or 999 in an emergency.",
    "It were reet grand seein' thi at t'court, tha did champion.",
    "Dinnae fash yersel, the wee man's no gettin bail the noo.",
    "Please find attached statement form, medical consent form, victim personal statement leaflet.",
    "Attachments: MG11.docx, injuries_photo_front.jpg, injuries_photo_side.jpg, VPS-leaflet.pdf",
    "https://www.force.example/victims/right-to-review-scheme/how-to-apply-for-a-review.html",
    "tom.hale@force.example; victim.care@force.example; witness.service@court.example",
    "Mon 0700-1500\nTue 0700-1500\nWed rest day\nThu 1400-2200\nFri 2200-0600",
    "- statement\n- exhibits\n- disclosure\n- bail conditions\n- special measures\n- court date",
    "1. Restraining order 2. Compensation 3. Unpaid work 4. Surcharge 5. Costs",
    "Tel: 01632 960123 Mob: 07700 900456 Fax: 01632 960124 Minicom: 18001 101",
    "Mae'n ddrwg gen i, my Welsh is poor, but I wanted to thank you for coming in and to say you did well.",
    "Bore da Mrs Pugh, just a quick note to say the hearing has been moved to the fourteenth.",
    "Diolch, Siân. I'll pass that on to the officer in the case.",
    "Namaste Mrs Patel, your statement is ready whenever you are able to come and sign it.",
    "As-salamu alaykum Mr Khan, I hope you and the family are well. The court date is confirmed.",
    "He said 'cześć' and walked off. I have put that word in your statement exactly as you gave it.",
    "The message on your phone reads 'te quiero'; could you tell us who sent it, and when?",
    "He was shouting 'allez allez' at the door, you said, and then the glass broke.",
    "PS bring specs. PPS parking behind Tesco, not the NCP.",
    "Ok. Noted. Cheers. T",
    "Northshire Police | Heddlu Gogledd Sir",
    "Working hours: Mon-Fri 8-4. Team mailbox: cid.northmoor@force.example. Supervisor: DS Anwen Prosser-Rhys.",
    "Sent from my iPhone",
    "Acting Detective Sergeant Bartholomew Featherstonehaugh-Cholmondeley, Public Protection, Northmoor",
    "Vodafone EE O2 Three Lebara Lycamobile giffgaff Tesco Mobile Sky Mobile Smarty Voxi",
    "Whatsapp screenshots, Snapchat memories, Instagram messages, Facebook posts, TikTok videos: please keep all of them.",
    "Dr Rajasekaran Balasubramaniam, consultant paediatrician, Royal Northshire Infirmary, ward 7 annexe",
    "Blackpool, Kirkcudbright, Auchtermuchty, Ecclefechan, Llanelli, Aberystwyth, Penzance, Mousehole",
    "innit tho, he aint coming back round ours bruv, bail says no contact direct or indirect yeah",
    "gr8 news m8, hes bin remanded til the trial so u can sleep 2nite",
    "Fantastic. Brilliant. Splendid. Marvellous. Excellent. Superb. Wonderful.",
]  # fmt: skip


def languages(body):
    raw = b"Content-Type: text/plain; charset=utf-8\n\n" + body.encode()
    return {passage.language for passage in extract(raw, Limits()).passages}


@pytest.mark.parametrize(("code", "sentence"), FOREIGN.items(), ids=FOREIGN)
def test_foreign_sentence(code, sentence):
    """One sentence in a language spoken in Britain is named; where nobody knows the language, that is."""
    assert languages(sentence) == {code}


@pytest.mark.parametrize(("code", "sentence"), FOREIGN.items(), ids=FOREIGN)
def test_foreign_sentence_among_english_ones(code, sentence):
    """A sentence in another language between English ones is a passage of its own, and they stay English."""
    body = f"Thank you for coming in on Tuesday. I have your statement.\n\n{sentence}\n\nI will call you about the court date."
    raw = b"Content-Type: text/plain; charset=utf-8\n\n" + body.encode()
    passages = extract(raw, Limits()).passages
    assert [passage.language for passage in passages] == ["en", code, "en"]
    assert passages[1].text == sentence
    assert [body[passage.start : passage.end] for passage in passages] == [
        passage.text for passage in passages
    ]


@pytest.mark.parametrize("body", ENGLISH)
def test_english(body):
    """Names, addresses, signatures, capitals, text-speak, dialects and Welsh places are no other language."""
    assert languages(body) <= {"", "en"}


def test_too_short_to_say():
    """Under forty letters nothing is said of a language (DECISIONS 20)."""
    assert languages("Chodź na kolację w sobotę.") == {""}


def test_sentences_too_short_alone_are_taken_together():
    """Short sentences in one language, one after another, are named together."""
    assert languages("Cześć Anna. Tęsknię bardzo. Może w sobotę?\nU mnie w domu. Nikomu nie mów.") == {"pl"}


def test_in_a_file_and_hidden():
    """A language is named wherever the words stand: in an attached text, and where nobody sees them."""
    polish = FOREIGN["pl"].encode()
    attached = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nThe statement is attached.\n--b\n"
        b"Content-Type: text/plain; charset=utf-8; name=a.txt\n\n" + polish + b"\n--b--\n"
    )
    hidden = (
        b"Content-Type: text/html; charset=utf-8\n\n<p>Hello and thank you</p><p hidden>" + polish + b"</p>"
    )
    for raw in (attached, hidden):
        assert "pl" in {passage.language for passage in extract(raw, Limits()).passages}


def test_names_of_languages():
    """A code has its English name; one that is not known stands for itself."""
    assert [language_name(code) for code in ("cy", "und", "xx")] == [
        "Welsh",
        "a language that was not recognised",
        "xx",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("䤹 敒汰 潔 漼摬桀祯 瑆塙灰浢此坚汸䝤汖䝥灨浙坥 浚坡汎浣浆䝤祖䝤汨湡穖䅤㴽", "zh"),
        ("䤹 敒汰 潔 漼摬桀祯 瑆塙灰浢此坚汸䝤汖䝥灨浙ぬ坥ㄹ 浚坡汎浣浆䝤祖䝤汨湡穖䅤㴽", "ja"),
    ],
)
def test_characters_of_two_languages_are_one_language_each_time(text, code):
    """lingua leaves to chance whether characters that Chinese and Japanese share are the one or the other; we do not."""
    raw = b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode()
    assert {extract(raw, Limits()).passages[-1].language for _ in range(20)} == {code}


def test_letters_of_many_scripts_are_no_language():
    """Damaged files give such text; which of its scripts lingua goes by is left to chance."""
    text = "ఱఀఀဃツ㄀䌌쀐ޞސـِۀݐ ڐܐܠذ۰۠ؐސؠ ఱఀఀဃツ㄀䌌쀐ޞސـِۀݐ ڐܐܠذ۰۠ؐސؠ ఱఀఀဃツ㄀䌌쀐ٰܐؠ݀ސذڐ"
    assert set().union(*(languages(text) for _ in range(20))) == {"und"}


def test_japanese_mixes_its_scripts():
    """Characters and kana together are one language's writing, not several."""
    assert languages("土曜日の夜、二人だけで食事に行きませんか。レストランを予約しておきます。") == {"ja"}
